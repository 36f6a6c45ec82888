/** What the one engine does that leads: it makes the world follow, and keeps what versions say. */
import { HOUR_MS, resolveRunner, type EventBus } from '@kre/contracts'
import { createAutoscaler, createConverger, type CompileSettings, type Fence } from '@kre/converger'
import { createMongoWriter } from '@kre/mongo-writer'
import { createNatsManager, rememberComplete } from '@kre/nats-manager'
import type { connectNats, Logger } from '@kre/service-kit'
import type { Store } from '@kre/store'
import type { Config } from './config.ts'
import type { LedNats } from './nats-side.ts'
import { observe } from './observe.ts'
import { openTarget } from './open-target.ts'
import type { Role } from './role.ts'

export type LeadingDeps = {
  config: Config
  store: Store
  nats: Awaited<ReturnType<typeof connectNats>>
  natsServer: LedNats
  events: EventBus
  logger: Logger
  /** Key of digests that stand for configuration values; the same for all engines of the store. */
  configKey: Buffer
  fence: Fence
}

export type Leading = Role & {
  /** Ends everything that runs, entrypoints first, and what keeps it running; NATS stays. */
  stopAll(): Promise<void>
}

/** Takes over what runs already; resolves when every runtime has been looked at once. */
export async function startLeading(deps: LeadingDeps): Promise<Leading> {
  const { config, store, nats, natsServer, events, logger } = deps
  const closing = new AbortController()
  const release: (() => PromiseLike<unknown>)[] = []
  const end = async () => {
    closing.abort()
    for (const step of release.splice(0).toReversed()) await step()
  }
  try {
    const accounts = await natsServer.openAccounts(nats)
    release.push(() => accounts[Symbol.asyncDispose]())
    const target = await openTarget(deps, accounts)
    release.push(() => target[Symbol.asyncDispose]())
    const writer = createMongoWriter({
      store,
      nats,
      logger,
      events,
      retention: { ageMs: config.logBounds.ageMs, everyMs: HOUR_MS },
    })
    release.push(() => writer[Symbol.asyncDispose]())
    await writer.start(closing.signal)
    const asked = await createNatsManager(nats, accounts, config.target.nats?.replicas)
    const manager = rememberComplete(asked, nats)
    release.push(async () => manager[Symbol.dispose]())
    const autoscaler = createAutoscaler(logger)
    release.push(async () => autoscaler[Symbol.dispose]())
    const converger = createConverger({
      autoscaler,
      store,
      target,
      nats: manager,
      settings: compileSettings(config, deps.configKey),
      logger,
      events,
      now: () => new Date(),
      fence: deps.fence,
      isTargetShared: config.target.kubernetes !== null,
    })
    release.push(() => converger[Symbol.asyncDispose]())
    await converger.start(closing.signal)
    const observed = await observe({
      autoscaler,
      store,
      nats,
      logger,
      logBounds: config.logBounds,
      natsServer,
      mayStore() {
        deps.fence.assertHeld()
        return true
      },
    })
    release.push(() => observed[Symbol.asyncDispose]())
    return {
      metrics: () => observed.metrics(),
      live: observed.live,
      workloads: (signal) => target.fetch(signal),
      natsPids: () => natsServer.pids(),
      async stopAll() {
        await converger[Symbol.asyncDispose]()
        await target.stopAll()
        // What the nodes wrote last reaches the store before NATS ends; what does not is in its stream.
        await writer[Symbol.asyncDispose]()
      },
      [Symbol.asyncDispose]: end,
    }
  } catch (error) {
    await end()
    throw error
  }
}

function compileSettings(config: Config, configKey: Buffer): CompileSettings {
  return {
    configKey,
    requestTimeoutMs: config.requestTimeoutMs,
    payloadBytesMax: config.payloadBytesMax,
    entrypointWorkers: config.entrypointWorkers,
    fuse: config.fuse,
    corsOrigins: config.corsOrigins,
    reflection: true,
    memoryBytesMax: config.nodeMemoryBytesMax,
    resolveRunner: (image, src) => {
      const resolved = resolveRunner(image, src)
      return 'runner' in resolved ? resolved.runner : null
    },
  }
}
