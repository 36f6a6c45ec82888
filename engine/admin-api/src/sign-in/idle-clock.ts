/** Tells logins that are used from those that lie about. */
export type IdleClock = {
  /** The login was used just now. */
  touch(loginHash: string): void
  isIdle(loginHash: string): boolean
  forget(loginHash: string): void
}

/** Logins remembered; beyond it the one unused for longest starts anew. */
const LOGINS_MAX = 10_000

/**
 * @param idleMs time without use after which a login is over.
 * @NOTE Kept in memory: a login that was not seen since this process started counts as used at its first sight;
 * its absolute end, which is stored, bounds it.
 */
export function createIdleClock(now: () => Date, idleMs: number): IdleClock {
  const usedAtMs = new Map<string, number>()
  return {
    touch(loginHash) {
      usedAtMs.delete(loginHash)
      usedAtMs.set(loginHash, now().getTime())
      const oldest = usedAtMs.keys().next()
      if (usedAtMs.size > LOGINS_MAX && oldest.done !== true) usedAtMs.delete(oldest.value)
    },
    isIdle(loginHash) {
      const usedAt = usedAtMs.get(loginHash)
      return usedAt !== undefined && now().getTime() - usedAt >= idleMs
    },
    forget(loginHash) {
      usedAtMs.delete(loginHash)
    },
  }
}
