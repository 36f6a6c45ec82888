import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, SECOND_MS } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'

/** Pieces of work that wait; what comes beyond it is dropped and said in the log. */
const WAITING_MAX = 1_000
/** Waits before a failed piece is tried again; after the last one it is given up, and at once when it fails for good. */
const RETRY_AFTER_MS = [SECOND_MS, 5 * SECOND_MS, 30 * SECOND_MS]
/** What waits when the process ends has so long: people wait for a mail, and an engine for its end. */
const LAST_MS = 5 * SECOND_MS

export type WorkQueue = AsyncDisposable & {
  /** Takes the work over and returns at once. */
  add(work: () => Promise<void>): void
}

type Piece = { readonly work: () => Promise<void>; failures: number }

/**
 * Does work one after another, apart from the requests that ask for it. A failed piece waits aside, so that it holds
 * nobody up; one that fails by `failed-precondition` is given up. What waits when the queue ends is tried once more,
 * within a bound; what is left then is lost, and said.
 */
export function createWorkQueue(name: string, logger: Logger, lastMs = LAST_MS): WorkQueue {
  const ready: Piece[] = []
  const aside = new Map<NodeJS.Timeout, Piece>()
  let isEnded = false
  let isGivenUp = false
  let running: Promise<void> | null = null

  function begin(): void {
    running ??= runAll()
  }

  async function runAll(): Promise<void> {
    for (let piece = ready[0]; piece !== undefined && !isGivenUp; piece = ready[0]) {
      await run(piece)
      ready.shift()
    }
    running = null
  }

  async function run(piece: Piece): Promise<void> {
    try {
      await piece.work()
    } catch (error) {
      const isFinal = error instanceof KreError && error.code === 'failed-precondition'
      const retryAfterMs = isEnded || isFinal ? null : (RETRY_AFTER_MS[piece.failures] ?? null)
      const outcome = retryAfterMs === null ? 'failed and was given up' : 'failed'
      logger.warn({ err: error, queue: name, retryAfterMs }, `queued work ${outcome}`)
      if (retryAfterMs !== null) waitAside(piece, retryAfterMs)
    }
  }

  function waitAside(piece: Piece, waitMs: number): void {
    const again = { ...piece, failures: piece.failures + 1 }
    const timer = setTimeout(() => {
      aside.delete(timer)
      ready.push(again)
      begin()
    }, waitMs)
    aside.set(timer, again)
  }

  return {
    add(work) {
      if (isEnded || ready.length + aside.size >= WAITING_MAX) {
        logger.warn({ queue: name, waiting: ready.length }, 'queued work was dropped')
        return
      }
      ready.push({ work, failures: 0 })
      begin()
    },
    async [Symbol.asyncDispose]() {
      isEnded = true
      for (const [timer, piece] of aside) {
        clearTimeout(timer)
        ready.push(piece)
      }
      aside.clear()
      if (ready.length > 0) begin()
      const enough = new AbortController()
      const late = sleep(lastMs, undefined, { signal: enough.signal }).catch(() => null)
      await Promise.race([running, late])
      enough.abort()
      isGivenUp = true
      if (ready.length > 0)
        logger.warn({ queue: name, lost: ready.length }, 'queued work was lost at the end')
    },
  }
}
