/** The environment of user code: the documented variables, the configuration, and nothing of the engine. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  ENTRYPOINT,
  ingressSubject,
  nodeSubject,
  outputsStream,
  workflowStream,
  type NodeLaunch,
} from '@kre/contracts/runtime'

/** What user code may inherit from the machine. */
const INHERITED =
  /^(?:PATH|HOME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_\w+|CUDA_\w+|NVIDIA_\w+|OMP_\w+|MKL_\w+|OPENBLAS_\w+)$/

/** @param inherited the process's own environment. */
export function userEnvironment(
  launch: NodeLaunch,
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(inherited))
    if (value !== undefined && INHERITED.test(name)) environment[name] = value
  for (const [name, content] of Object.entries(launch.config.files)) {
    environment[name] = content
    environment[`${name}_PATH`] = configFilePath(launch, name)
  }
  return { ...environment, ...launch.config.variables, ...documented(launch), ...original(launch) }
}

/** Writes the contents of `config.files`, readable by the node alone. */
export function writeConfigFiles(launch: NodeLaunch): void {
  const folder = join(launch.workPath, 'files')
  rmSync(folder, { recursive: true, force: true })
  const files = Object.entries(launch.config.files)
  if (files.length === 0) return
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const [name, content] of files) {
    writeFileSync(configFilePath(launch, name), content, { mode: 0o400, flag: 'wx' })
    chmodSync(configFilePath(launch, name), 0o400)
  }
}

function configFilePath(launch: NodeLaunch, name: string): string {
  return join(launch.workPath, 'files', encodeURIComponent(name))
}

function documented(launch: NodeLaunch): Record<string, string> {
  return {
    KRT_RUNTIME_ID: launch.runtimeId,
    KRT_VERSION_ID: launch.versionId,
    KRT_VERSION: launch.version,
    KRT_WORKFLOW_ID: launch.workflow,
    KRT_WORKFLOW_NAME: launch.workflowName,
    KRT_NODE_ID: launch.node,
    KRT_NODE_NAME: launch.nodeName,
    KRT_BASE_PATH: launch.basePath,
    KRT_HANDLER_PATH: launch.src,
  }
}

/** Plumbing of the original runners that some handlers print or pass on. Addresses without credentials only. */
function original(launch: NodeLaunch): Record<string, string> {
  const inputs = launch.subscriptions.map(({ from, channel }) =>
    from === ENTRYPOINT
      ? ingressSubject(launch)
      : nodeSubject({ ...launch, node: from }, channel ?? undefined),
  )
  return {
    KRT_NATS_STREAM: workflowStream(launch),
    KRT_NATS_INPUTS: inputs.join(','),
    KRT_NATS_OUTPUT: nodeSubject(launch),
    KRT_NATS_MONGO_WRITER: outputsStream(launch),
    KRT_NATS_KEY_VALUE_STORE_PROJECT: launch.keyValueBuckets.project,
    KRT_NATS_KEY_VALUE_STORE_WORKFLOW: launch.keyValueBuckets.workflow,
    KRT_NATS_KEY_VALUE_STORE_NODE: launch.keyValueBuckets.node,
    ...(launch.objectBucket === null ? {} : { KRT_NATS_OBJECT_STORE: launch.objectBucket }),
    KRT_IS_EXITPOINT: String(launch.isExitpoint),
    KRT_REQUEST_TIMEOUT: '30',
    KRT_JS_REQUEST_TIMEOUT: '5',
  }
}
