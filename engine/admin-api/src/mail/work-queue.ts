import { setTimeout as sleep } from 'node:timers/promises'
import { SECOND_MS } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'

/** Pieces of work that wait; what comes beyond it is dropped and said in the log. */
const WAITING_MAX = 1_000
/** Waits before a failed piece is tried again; after the last one it is given up. */
const RETRY_AFTER_MS = [SECOND_MS, 5 * SECOND_MS, 30 * SECOND_MS]

export type WorkQueue = AsyncDisposable & {
  /** Takes the work over and returns at once. */
  add(work: () => Promise<void>): void
}

/** Does work one after another, apart from the requests that ask for it. What waits when the process ends is lost. */
export function createWorkQueue(
  name: string,
  logger: Logger,
  retryAfterMs: readonly number[] = RETRY_AFTER_MS,
): WorkQueue {
  const waiting: (() => Promise<void>)[] = []
  const ended = new AbortController()
  let running: Promise<void> | null = null

  async function runAll(): Promise<void> {
    for (;;) {
      const work = ended.signal.aborted ? undefined : waiting.shift()
      if (work === undefined) break
      await attempt(work)
    }
    running = null
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    for (const waitMs of [...retryAfterMs, null]) {
      try {
        await work()
        return
      } catch (error) {
        logger.warn({ err: error, queue: name, retryAfterMs: waitMs }, 'queued work failed')
      }
      if (waitMs === null || ended.signal.aborted) return
      // Ended while it waits: then there is nothing to wait for.
      await sleep(waitMs, undefined, { signal: ended.signal }).catch(() => undefined)
      if (ended.signal.aborted) return
    }
  }

  return {
    add(work) {
      if (waiting.length >= WAITING_MAX) {
        logger.warn({ queue: name, waiting: waiting.length }, 'queued work was dropped')
        return
      }
      waiting.push(work)
      running ??= runAll()
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      waiting.length = 0
      await running
    },
  }
}
