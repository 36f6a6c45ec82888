import { KreError } from '@kre/contracts'
import type { Fence } from '@kre/converger'
import type { Logger } from '@kre/service-kit'
import type { Lease, LeaseStore } from '@kre/store'
import { LEASE_MS, MARGIN_MS, RENEW_MS } from './lease-watch.ts'

/** A lease that is renewed until it is given back or lost. */
export type KeptLease = Fence & {
  /**
   * Stops renewing and gives it back.
   *
   * @param place that only its own engines may take it for, because something still runs there; null = anybody.
   */
  release(place: string | null): Promise<void>
}

/**
 * Renews a lease that was just taken. While the store is away nobody can take it, and nobody knows: effects wait
 * (`assertHeld` throws), and go on when a renewal has succeeded again.
 *
 * @param deps.now in ms, of a clock that is never set back.
 * @param takenAt before the step that took it.
 * @param onLost another engine has it; called once.
 */
export function keepLease(
  deps: { leases: Pick<LeaseStore, 'renew' | 'release'>; logger: Logger; now: () => number },
  lease: Lease & { holder: string },
  takenAt: number,
  onLost: () => void,
): KeptLease {
  const { leases, logger, now } = deps
  const heldForMs = LEASE_MS - MARGIN_MS
  let heldUntil = takenAt + heldForMs
  let state: 'held' | 'lost' | 'released' = 'held'
  let renewing: Promise<void> | null = null

  const renew = async (): Promise<void> => {
    const began = now()
    try {
      const beat = await leases.renew(lease)
      if (state !== 'held') return
      if (beat !== null) {
        if (began > heldUntil) logger.info({ lease: lease.name }, 'the lease is held again')
        heldUntil = began + heldForMs
        return
      }
      state = 'lost'
      clearInterval(timer)
      onLost()
    } catch (error) {
      logger.warn(
        { err: error, lease: lease.name },
        'the lease could not be renewed; it is tried again',
      )
    }
  }
  const timer = setInterval(() => {
    renewing ??= renew().finally(() => {
      renewing = null
    })
  }, RENEW_MS)

  return {
    token: lease.token,
    assertHeld() {
      if (state === 'held' && now() < heldUntil) return
      throw state === 'held' ? unsure(lease) : over(lease)
    },
    async release(place) {
      clearInterval(timer)
      await renewing
      if (state !== 'held') return
      state = 'released'
      await leases.release(lease, place)
    },
  }
}

function unsure({ name }: Lease): KreError {
  return new KreError(
    'unavailable',
    `the lease "${name}" could not be renewed in time: nothing is changed until the store answers again`,
  )
}

function over({ name, token }: Lease): KreError {
  return new KreError(
    'aborted',
    `the lease "${name}" (${token}) is over: another engine leads, this one changes nothing any more`,
  )
}
