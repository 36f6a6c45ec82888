import type { Lease } from '@kre/store'

/** A holder that has not renewed its lease for so long has it no more. */
export const LEASE_MS = 15_000
/** How often a lease is renewed, and looked at by those who wait for it. */
export const RENEW_MS = 3_000
/** The holder stops so long before others may take the lease: what it sends just before has arrived by then. */
export const MARGIN_MS = 3_000

/**
 * Counts for how long a lease has looked the same, by the watcher's own clock, so that no two clocks are compared.
 * One look counts little, however late it comes: a computer that stood still lets its engines go on together.
 *
 * @param now in ms, of a clock that is never set back.
 * @returns takes each look at the lease; returns ms.
 */
export function createLeaseWatch(now: () => number): (lease: Lease | null) => number {
  let last: { token: number; beat: number; at: number } | null = null
  let silentMs = 0
  return (lease) => {
    const at = now()
    const isSame = last !== null && last.token === lease?.token && last.beat === lease.beat
    silentMs = isSame && last !== null ? silentMs + Math.min(at - last.at, 2 * RENEW_MS) : 0
    last = lease === null ? null : { token: lease.token, beat: lease.beat, at }
    return silentMs
  }
}
