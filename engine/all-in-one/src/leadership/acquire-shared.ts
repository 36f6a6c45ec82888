import { setTimeout as sleep } from 'node:timers/promises'
import type { AcquireShared } from '@kre/admin-api'
import { SECOND_MS } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { Lease, LeaseStore } from '@kre/store'
import { createLeaseWatch, LEASE_MS, RENEW_MS } from './lease-watch.ts'

const LOOK_MIN_MS = 5
const LOOK_MAX_MS = 100
/** How often whoever waits says so: the one who is to let go may have begun after it was said before. */
const SAY_MS = SECOND_MS

/**
 * Locks between engines, as leases in their store. Who dies with one is found out by `isGone`; who hangs loses it when
 * its lease is over.
 *
 * @param deps.isGone whether the process of a holder has ended.
 * @param deps.now in ms, of a clock that is never set back.
 */
export function createAcquireShared(deps: {
  leases: LeaseStore
  holder: string
  isGone: (holder: string) => Promise<boolean>
  logger: Logger
  now: () => number
}): AcquireShared {
  const { leases, holder, logger, now } = deps
  /** Ends of what this process holds or waits for, by name. */
  const last = new Map<string, Promise<void>>()

  return async function acquire(name, onBusy) {
    const before = last.get(name)
    const { promise: over, resolve: finish } = Promise.withResolvers<void>()
    last.set(name, over)
    await before
    const end = () => {
      if (last.get(name) === over) last.delete(name)
      finish()
    }
    try {
      const release = await acquireOutside(name, onBusy)
      return () => release().finally(end)
    } catch (error) {
      end()
      throw error
    }
  }

  async function acquireOutside(name: string, onBusy?: () => void): Promise<() => Promise<void>> {
    const watch = createLeaseWatch(now)
    let waitMs = LOOK_MIN_MS
    let saidAt = -Infinity
    for (;;) {
      const seen = await leases.read(name)
      if (await mayTake(seen, watch(seen))) {
        const lease = await leases.take({ name, holder, place: null }, seen)
        if (lease !== null) return keep(lease)
        continue
      }
      if (now() - saidAt >= SAY_MS) {
        saidAt = now()
        onBusy?.()
      }
      await sleep(waitMs)
      waitMs = Math.min(2 * waitMs, LOOK_MAX_MS)
    }
  }

  async function mayTake(seen: Lease | null, silentMs: number): Promise<boolean> {
    // What this engine could not give back is its own again.
    if (seen === null || seen.holder === null || seen.holder === holder) return true
    return silentMs >= LEASE_MS || deps.isGone(seen.holder)
  }

  function keep(lease: Lease): () => Promise<void> {
    const held = { ...lease, holder }
    const failed = (error: unknown) =>
      logger.warn({ err: error, lease: lease.name }, 'a lock between engines could not be written')
    const timer = setInterval(() => void leases.renew(held).catch(failed), RENEW_MS)
    return async () => {
      clearInterval(timer)
      await leases.remove(held).catch(failed)
    }
  }
}
