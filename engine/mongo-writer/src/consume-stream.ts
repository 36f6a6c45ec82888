import { SECOND_MS, WRITER_CONSUMER, type EventBus, type StoredReply } from '@kre/contracts'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Logger } from '@kre/service-kit'
import type { OutputStore } from '@kre/store'
import { storeBatch, type BatchOutcome } from './outputs/store-batch.ts'
import { collectBatch, idleWaitMs } from './stream/collect-batch.ts'
import type { Delivery } from './stream/delivery.ts'
import { createPuller } from './stream/puller.ts'
import { createBackOff } from './timing/back-off.ts'
import { pause } from './timing/pause.ts'
import { createThrottle } from './timing/throttle.ts'
import type { WriterCounts } from './writer-counts.ts'

export type ConsumeDeps = {
  nats: NatsConnection
  outputs: OutputStore
  events: EventBus
  logger: Logger
  counts: WriterCounts
  now: () => Date
  /** How long a stream may be missing before that is a failure: it goes when its version is gone. */
  streamExpectedWithinMs: number
  /** Told that the stream, or its consumer, is missing. */
  onMissing: () => void
  /** How many streams are consumed now, this one included. */
  streams: () => number
  /** Calls back whenever the connection was lost and is there again. Returns the end of it. */
  onReconnect: (listener: () => void) => () => void
}

/** A page that shows logs is told at most this often that there are new ones. */
const LOGS_EVENT_EVERY_MS = 250
/** A burst of malformed messages is one line in the log each so long. */
const SET_ASIDE_LOG_EVERY_MS = 10 * SECOND_MS

/** Moves outputs of a runtime from one of its streams into the store until `signal` is aborted. Never throws. */
export async function consumeStream(
  deps: ConsumeDeps,
  from: { readonly runtimeId: string; readonly stream: string },
  signal: AbortSignal,
): Promise<void> {
  const { runtimeId } = from
  const logger = deps.logger.child(from)
  const puller = createPuller(deps.nats, from.stream, WRITER_CONSUMER)
  using logsWritten = createThrottle(LOGS_EVENT_EVERY_MS, () =>
    deps.events.publish({ type: 'logs.written', runtimeId }),
  )
  using garbage = createGarbageLog(logger)
  const store = createFailureLog(logger, 'store', {
    firstMs: 100,
    maxMs: 30 * SECOND_MS,
  })
  const stream = createFailureLog(logger, 'stream', {
    firstMs: 50,
    maxMs: 2 * SECOND_MS,
  })
  const reply = (delivery: Delivery, error: string | null): void =>
    answerSender(deps.nats, delivery, error)

  const consumeBatch = async (): Promise<void> => {
    const { messages, missing } = await collectBatch(puller, signal, idleWaitMs(deps.streams()))
    if (missing !== null) {
      deps.onMissing()
      return pause(stream.failed(missing, deps.streamExpectedWithinMs), signal)
    }
    stream.succeeded()
    if (messages.length === 0) return
    if (signal.aborted) {
      for (const delivery of messages) delivery.nak(0)
      return
    }
    const outcome = await storeBatch({ ...deps, reply }, runtimeId, messages, store.pauseMs())
    count(deps.counts, outcome)
    if (outcome.hasLogs) logsWritten.hit()
    garbage.add(outcome.setAside)
    if (outcome.failure === null) store.succeeded()
    else await pause(store.failed(outcome.failure), signal)
  }

  const ignoreReconnects = deps.onReconnect(() => puller.interrupt())
  while (!signal.aborted) {
    try {
      await consumeBatch()
    } catch (error) {
      // The connection refuses to send while it is closed or drained; what was delivered comes again.
      await pause(stream.failed(error), signal)
    }
  }
  ignoreReconnects()
  if (!deps.nats.isClosed()) puller.stop()
}

function count(counts: WriterCounts, outcome: BatchOutcome): void {
  counts.stored += outcome.stored
  counts.setAside += outcome.setAside.length
  counts.returned += outcome.returned
}

function answerSender(nats: NatsConnection, delivery: Delivery, error: string | null): void {
  if (delivery.storedReply === null || nats.isClosed()) return
  const reply: StoredReply = error === null ? { success: true } : { success: false, error }
  nats.publish(delivery.storedReply, JSON.stringify(reply))
}

type FailureLog = {
  /** The pause after the next failure. */
  pauseMs(): number
  /** Returns the pause before the next attempt. @param expectedWithinMs so long it is no failure; default 0. */
  failed(cause: unknown, expectedWithinMs?: number): number
  succeeded(): void
}

/** One line when something begins to fail and one when it works again, however often it was tried between. */
function createFailureLog(
  logger: Logger,
  what: 'store' | 'stream',
  times: { firstMs: number; maxMs: number },
): FailureLog {
  const backOff = createBackOff(times)
  let failingSince = 0
  let isTold = false
  let attempts = 0
  let pauseMs = backOff.next()
  return {
    pauseMs: () => pauseMs,
    failed(cause, expectedWithinMs = 0) {
      if (attempts === 0) failingSince = performance.now()
      attempts += 1
      const isExpected = performance.now() - failingSince < expectedWithinMs
      if (!isTold && !isExpected) {
        isTold = true
        logger.warn(
          cause instanceof Error ? { err: cause } : { reason: String(cause) },
          `${what} fails; outputs wait in the stream`,
        )
      }
      const now = pauseMs
      pauseMs = backOff.next()
      return now
    },
    succeeded() {
      if (attempts === 0) return
      if (isTold) logger.info({ attempts }, `${what} works again`)
      isTold = false
      attempts = 0
      backOff.reset()
      pauseMs = backOff.next()
    },
  }
}

function createGarbageLog(logger: Logger): Disposable & { add(reasons: readonly string[]): void } {
  let messages = 0
  let reason = ''
  const throttle = createThrottle(SET_ASIDE_LOG_EVERY_MS, () => {
    logger.warn({ messages, reason }, 'messages set aside: they are no outputs')
    messages = 0
  })
  return {
    add(reasons) {
      if (reasons.length === 0) return
      messages += reasons.length
      reason = reasons.at(-1) ?? ''
      throttle.hit()
    },
    [Symbol.dispose]: () => throttle[Symbol.dispose](),
  }
}
