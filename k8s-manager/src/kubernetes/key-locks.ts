export type KeyLocks = {
  /** Runs the work when all earlier work of the key is over, whatever became of it. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>
}

/** Work on one thing happens one after the other, on different things at once. */
export function createKeyLocks(): KeyLocks {
  const tails = new Map<string, Promise<void>>()
  return {
    async run(key, work) {
      const before = tails.get(key)
      const done = Promise.withResolvers<void>()
      tails.set(key, done.promise)
      try {
        await before
        return await work()
      } finally {
        done.resolve()
        if (tails.get(key) === done.promise) tails.delete(key)
      }
    },
  }
}
