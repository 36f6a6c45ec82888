import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { ENTRYPOINT, KreError, type NodeLaunch } from '@kre/contracts/runtime'
import type { WorkerFrame } from '@kre/wire'
import type { Runtime, RuntimeDeps } from '../runtime.ts'
import { openRunningFile } from './running-file.ts'
import { WorkerHost } from './worker-host.ts'

/** Longest path of a Unix socket (sun_path of Linux and macOS), in bytes. */
const SOCKET_PATH_BYTES_MAX = 103
const PYTHON_SDK = resolve(import.meta.dirname, '../../../sdk-python')
/** By its path: `-m` would look in the working directory, the bundle's root, first. */
const PYTHON_WORKER = join(PYTHON_SDK, 'kre_runner/__main__.py')

/**
 * Starts the Python worker of a node.
 *
 * @throws KreError `failed-precondition` in the author's words when the handler can't be loaded.
 */
export async function openWorkerRuntime(deps: RuntimeDeps): Promise<Runtime> {
  const { launch, environment } = deps
  if (launch.python === null)
    throw new KreError(
      'internal',
      `the launch of node '${launch.nodeName}' names no Python interpreter`,
    )
  const { executable, path } = launch.python
  const running = openRunningFile(join(launch.workPath, 'running'), launch.concurrency)
  const host = new WorkerHost(deps, running, {
    command: [executable, PYTHON_WORKER],
    environment: {
      ...environment,
      PYTHONPATH: [...path, PYTHON_SDK].join(delimiter),
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
    socketPath: socketPath(launch.workPath),
    init: initFrame(launch, running.path),
  })
  deps.onStage('load')
  const handlesErrors = await host.start()
  return { host, handlesErrors, hasCurrentCall: () => false, flush() {}, close: () => host.close() }
}

function initFrame(launch: NodeLaunch, runningFile: string): WorkerFrame<'init'> {
  return {
    kind: 'init',
    basePath: launch.basePath,
    handlerPath: launch.src,
    node: launch.node,
    nodeName: launch.nodeName,
    workflow: launch.workflow,
    version: launch.version,
    versionId: launch.versionId,
    runtimeId: launch.runtimeId,
    concurrency: launch.concurrency,
    isExitpoint: launch.isExitpoint,
    requestType: launch.requestType,
    responseType: launch.responseType,
    descriptorSet: readFileSync(launch.descriptorSetPath),
    config: { ...launch.config.files, ...launch.config.variables },
    objectStore: launch.objectBucket !== null,
    isFirst: launch.subscriptions.some(({ from }) => from === ENTRYPOINT),
    runningFile,
    batched: launch.batch !== undefined,
    isStreaming: launch.serverStreaming === true,
  }
}

/** In the work folder, or under a short name where that path is too long for a socket. */
function socketPath(workPath: string): string {
  const path = join(workPath, 'worker.sock')
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path
  const hash = createHash('sha256').update(workPath).digest('hex').slice(0, 16)
  return join(tmpdir(), `kre-${hash}.sock`)
}
