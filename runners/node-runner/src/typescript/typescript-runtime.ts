import { readFileSync } from 'node:fs'
import { openMessageTypes, type NodePort } from '@kre/sdk'
import { ENTRYPOINT } from '@kre/contracts/runtime'
import { EXIT } from '../exit-codes.ts'
import type { NodeLog } from '../outputs/node-log.ts'
import { guardExit } from '../process/exit-guard.ts'
import type { Runtime, RuntimeDeps } from '../runtime.ts'
import { captureOutput } from './capture-output.ts'
import { loadHandlers } from './load-handlers.ts'
import { createTypescriptHost, runInit, type TypescriptHost } from './typescript-host.ts'

type Speaker = { readonly log: NodeLog; host: TypescriptHost | null }

// Of the process, as its console and its streams are.
const speakers: Speaker[] = []
let flushOutput: (() => void) | null = null

/**
 * Loads the user's TypeScript into this process.
 *
 * @throws KreError `failed-precondition` in the author's words.
 */
export async function openTypescriptRuntime(deps: RuntimeDeps): Promise<Runtime> {
  const { launch, log, environment, ownEnvironment } = deps
  for (const name of Object.keys(ownEnvironment)) delete ownEnvironment[name]
  Object.assign(ownEnvironment, environment)
  process.chdir(launch.basePath)
  const speaker: Speaker = { log, host: null }
  speakers.push(speaker)
  flushOutput ??= guardProcess(deps.onFatal)

  deps.onStage('load')
  const handlers = await loadHandlers(launch, deps.isShared)
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
  const host = createTypescriptHost(launch, node, handlers, initial, deps.dispatcher)
  speaker.host = host
  return {
    host,
    handlesErrors: handlers.handlesErrors,
    hasCurrentCall: () => host.current !== null,
    flush: flushOutput,
    close: () => Promise.resolve(),
  }
}

/** Takes over what a process has once. @returns gives out log lines that still wait. */
function guardProcess(onFatal: RuntimeDeps['onFatal']): () => void {
  process.removeAllListeners('warning')
  process.on('warning', (warning: Error & { code?: string }) => {
    // Bundles need no package.json: that Node looked at the syntax instead is no news to anybody.
    if (warning.code !== 'MODULE_TYPELESS_PACKAGE_JSON')
      speaking()?.log.write('WARN', warning.message, null)
  })
  guardExit((what) => onFatal(what, EXIT.software))
  return captureOutput(({ level, text, date }) => {
    const speaker = speaking()
    speaker?.log.write(level, text, speaker.host?.current?.requestId ?? null, date)
  })
}

/** The node whose handler is on the stack, or else the one that was loaded last. */
function speaking(): Speaker | undefined {
  return speakers.find(({ host }) => host !== null && host.current !== null) ?? speakers.at(-1)
}
