import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { ALL_OUTPUTS, runtimeOfOutputs, SECOND_MS, WRITER_CONSUMER } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { createBackOff } from '../timing/back-off.ts'
import { pause } from '../timing/pause.ts'

/** JetStream says so when an outputs stream is complete. */
const CONSUMER_MADE = `$JS.EVENT.ADVISORY.CONSUMER.CREATED.*.${WRITER_CONSUMER}`
/** Somebody who misses a stream asks at most this often for the list. */
const LOOK_EVERY_MS = 250

export type StreamWatch = {
  /** Resolves when the streams were listed once, or could not be. */
  firstLook(): Promise<void>
  /** Lists them whenever one is made, and from time to time, until `stopped` is aborted. Never throws. */
  follow(stopped: AbortSignal): Promise<void>
  /** Lists them soon. */
  look(): void
}

/** Knows the outputs streams that there are; the NATS manager makes and removes them with versions. */
export function watchStreams(
  deps: { nats: NatsConnection; logger: Logger; everyMs: number },
  onList: (names: readonly string[]) => void,
): StreamWatch {
  const { nats, logger } = deps
  const backOff = createBackOff({ firstMs: 100, maxMs: 5 * SECOND_MS })
  const first = Promise.withResolvers<void>()
  let isFailing = false
  let hint = Promise.withResolvers<void>()

  /** @returns how long to wait for the next look. */
  const list = async (stopped: AbortSignal): Promise<number> => {
    try {
      const names = await namesOfStreams(nats)
      if (!stopped.aborted) onList(names)
      if (isFailing) logger.info('outputs streams are listed again')
      isFailing = false
      backOff.reset()
      return deps.everyMs
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, 'outputs streams not listed; tried again')
      isFailing = true
      return backOff.next()
    } finally {
      first.resolve()
    }
  }

  return {
    firstLook: () => first.promise,
    look: () => hint.resolve(),
    async follow(stopped) {
      const made = nats.isClosed()
        ? null
        : nats.subscribe(CONSUMER_MADE, { callback: () => hint.resolve() })
      while (!stopped.aborted) {
        hint = Promise.withResolvers()
        const lookedAt = performance.now()
        const waitMs = await list(stopped)
        await pauseUntil(hint.promise, waitMs, stopped)
        await pause(Math.max(0, lookedAt + LOOK_EVERY_MS - performance.now()), stopped)
      }
      if (!nats.isClosed()) made?.unsubscribe()
    },
  }
}

async function pauseUntil(hint: Promise<void>, ms: number, stopped: AbortSignal): Promise<void> {
  const hinted = new AbortController()
  void hint.then(() => hinted.abort())
  await pause(ms, AbortSignal.any([stopped, hinted.signal]))
}

async function namesOfStreams(nats: NatsConnection): Promise<string[]> {
  const manager = await jetstreamManager(nats, { checkAPI: false })
  const names: string[] = []
  for await (const name of manager.streams.names(ALL_OUTPUTS))
    if (runtimeOfOutputs(name) !== null) names.push(name)
  return names
}
