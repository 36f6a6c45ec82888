import { readFileSync } from 'node:fs'
import { openMessageTypes, type NodePort } from '@kre/sdk'
import { ENTRYPOINT } from '@kre/contracts/runtime'
import { EXIT } from '../exit-codes.ts'
import { guardExit } from '../process/exit-guard.ts'
import type { Runtime, RuntimeDeps } from '../runtime.ts'
import { captureOutput } from './capture-output.ts'
import { loadHandlers } from './load-handlers.ts'
import { createTypescriptHost, runInit, type TypescriptHost } from './typescript-host.ts'

/**
 * Loads the user's TypeScript into this process.
 *
 * @throws KreError `failed-precondition` in the author's words.
 */
export async function openTypescriptRuntime(deps: RuntimeDeps): Promise<Runtime> {
  const { launch, log, environment, ownEnvironment, onFatal } = deps
  let host: TypescriptHost | null = null
  for (const name of Object.keys(ownEnvironment)) delete ownEnvironment[name]
  Object.assign(ownEnvironment, environment)
  process.chdir(launch.basePath)
  const flush = captureOutput(({ level, text, date }) =>
    log.write(level, text, host?.current?.requestId ?? null, date),
  )
  process.removeAllListeners('warning')
  process.on('warning', (warning: Error & { code?: string }) => {
    // Bundles need no package.json: that Node looked at the syntax instead is no news to anybody.
    if (warning.code !== 'MODULE_TYPELESS_PACKAGE_JSON') log.write('WARN', warning.message, null)
  })
  guardExit((what) => onFatal(what, EXIT.software))

  deps.onStage('load')
  const handlers = await loadHandlers(launch.basePath, launch.src, launch.batch !== undefined)
  const node: NodePort = {
    runtimeId: launch.runtimeId,
    version: launch.version,
    workflow: launch.workflow,
    node: launch.node,
    nodeName: launch.nodeName,
    basePath: launch.basePath,
    isExitpoint: launch.isExitpoint,
    isFirst: launch.subscriptions.some(({ from }) => from === ENTRYPOINT),
    responseType: launch.responseType,
    isStreaming: launch.serverStreaming === true,
    hasObjectStore: launch.objectBucket !== null,
    config: { ...launch.config.files, ...launch.config.variables },
    types: openMessageTypes(() => readFileSync(launch.descriptorSetPath)),
    memory: new Map(),
  }
  deps.onStage('init')
  const initial = await runInit(launch, node, handlers, deps.outside)
  host = createTypescriptHost(launch, node, handlers, initial, deps.dispatcher)
  return { host, handlesErrors: handlers.handlesErrors, flush, close: () => Promise.resolve() }
}
