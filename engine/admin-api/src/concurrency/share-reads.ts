import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Lets callers that ask for the same thing at once share one read of it. A read begins after the turn in which it was
 * asked for first, and whoever asks later gets one of his own: so everybody is told what was so after he asked.
 *
 * @param keyOf what is the same for two callers.
 */
export function shareReads<A, T>(
  keyOf: (asked: A) => string,
  read: (asked: A) => Promise<T>,
): (asked: A) => Promise<T> {
  const about = new Map<string, Promise<T>>()

  async function readSoon(key: string, asked: A): Promise<T> {
    await nextTurn()
    about.delete(key)
    return read(asked)
  }

  return (asked) => {
    const key = keyOf(asked)
    const begun = about.get(key) ?? readSoon(key, asked)
    about.set(key, begun)
    return begun
  }
}
