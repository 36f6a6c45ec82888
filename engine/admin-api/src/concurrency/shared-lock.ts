import type { KeyedLock } from './keyed-lock.ts'

/**
 * Keeps other engines of the store away from a thing until the returned function is called.
 *
 * @param onBusy called when another engine has it; it is waited for all the same.
 */
export type AcquireShared = (name: string, onBusy?: () => void) => Promise<() => Promise<void>>

/** A lock inside this process that also counts between engines: inside first, so that one of each waits outside. */
export function createSharedLock(inside: KeyedLock, acquire: AcquireShared): KeyedLock {
  return (key, work) =>
    inside(key, async () => {
      const release = await acquire(key)
      try {
        return await work()
      } finally {
        await release()
      }
    })
}

/** For an engine that is alone on its store. */
export const acquireAlone: AcquireShared = async () => async () => undefined
