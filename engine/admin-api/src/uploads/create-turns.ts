/** Runs a piece of work when the one before it with the same key is over. */
export type TakeTurn = <T>(
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
  options?: { readonly mustEnd?: boolean },
) => Promise<T>

/**
 * Turns where the newest counts: who comes ends the work before by its signal. A client whose connection was cut comes
 * back before this side has noticed, and must not wait for that.
 *
 * `mustEnd` work is not ended by those who come: they wait.
 */
export function createTurns(): TakeTurn {
  const last = new Map<string, { over: Promise<void>; yieldTurn: () => void }>()
  return async function take(key, work, { mustEnd = false } = {}) {
    const before = last.get(key)
    before?.yieldTurn()
    const ended = new AbortController()
    const result = (before?.over ?? Promise.resolve()).then(() => work(ended.signal))
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
  }
}
