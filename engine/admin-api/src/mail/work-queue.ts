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

type Piece = { readonly work: () => Promise<void>; failures: number }

/**
 * Does work one after another, apart from the requests that ask for it. A failed piece waits aside, so that it holds
 * nobody up. What waits when the process ends is lost.
 */
export function createWorkQueue(name: string, logger: Logger): WorkQueue {
  const ready: Piece[] = []
  const aside = new Set<NodeJS.Timeout>()
  let isEnded = false
  let running: Promise<void> | null = null

  function begin(): void {
    running ??= runAll()
  }

  async function runAll(): Promise<void> {
    for (let piece = ready.shift(); piece !== undefined; piece = ready.shift()) await run(piece)
    running = null
  }

  async function run(piece: Piece): Promise<void> {
    try {
      await piece.work()
    } catch (error) {
      const retryAfterMs = RETRY_AFTER_MS[piece.failures] ?? null
      logger.warn({ err: error, queue: name, retryAfterMs }, 'queued work failed')
      if (retryAfterMs !== null && !isEnded) waitAside(piece, retryAfterMs)
    }
  }

  function waitAside(piece: Piece, waitMs: number): void {
    const timer = setTimeout(() => {
      aside.delete(timer)
      ready.push({ ...piece, failures: piece.failures + 1 })
      begin()
    }, waitMs)
    aside.add(timer)
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
      ready.length = 0
      for (const timer of aside) clearTimeout(timer)
      await running
    },
  }
}
