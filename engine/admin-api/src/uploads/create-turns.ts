import type { AcquireShared } from '../concurrency/shared-lock.ts'

/** The upload that is worked on. */
export type TurnOf = { readonly runtimeId: string; readonly uploadId: string }

export type Turns = {
  /** Runs a piece of work when the one before it on the same upload is over. */
  take<T>(
    of: TurnOf,
    work: (signal: AbortSignal) => Promise<T>,
    options?: { readonly mustEnd?: boolean },
  ): Promise<T>
  /** Ends the work on the upload by its signal, because its client has come back elsewhere. */
  yieldTurn(of: TurnOf): void
}

/**
 * Turns where the newest counts: who comes ends the work before by its signal. A client whose connection was cut comes
 * back before this side has noticed, and must not wait for that.
 *
 * `mustEnd` work is not ended by those who come: they wait.
 *
 * @param acquire keeps other engines away during the work.
 * @param onBusy told when another engine is at work on an upload.
 */
export function createTurns(acquire: AcquireShared, onBusy: (of: TurnOf) => void): Turns {
  const last = new Map<string, { over: Promise<void>; yieldTurn: () => void }>()
  return {
    yieldTurn: ({ uploadId }) => last.get(uploadId)?.yieldTurn(),
    async take(of, work, { mustEnd = false } = {}) {
      const key = of.uploadId
      const before = last.get(key)
      before?.yieldTurn()
      const ended = new AbortController()
      const result = (before?.over ?? Promise.resolve()).then(async () => {
        const release = await acquire(`upload/${key}`, () => onBusy(of))
        try {
          return await work(ended.signal)
        } finally {
          await release()
        }
      })
      const over = result.then(
        () => undefined,
        () => undefined,
      )
      const turn = { over, yieldTurn: () => void (mustEnd || ended.abort()) }
      last.set(key, turn)
      try {
        return await result
      } finally {
        if (last.get(key) === turn) last.delete(key)
      }
    },
  }
}
