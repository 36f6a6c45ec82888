import { KreError } from '@kre/contracts'
import type { Lease, LeaseStore } from '@kre/store'
import { createLeaseWatch, LEASE_MS, RENEW_MS } from './lease-watch.ts'

/** An engine that lives has the lease. */
export class LeaseHeld extends KreError {
  override name = 'LeaseHeld'
}

/** How often an engine that waits looks whether it may lead. */
const LOOK_MS = 500

/** Of the one engine that acts on the world. */
export const ENGINE_LEASE = 'engine'

/**
 * Takes the engine's lease for a process that has the lock on its data folder. What that lock says about the folder's
 * own engines it says at once: whoever held the lease there is gone. An engine of another folder has to be silent for
 * as long as it takes until nothing of it can run any more, because nobody here sees what runs there.
 *
 * @param claim.place stands for the data folder.
 * @param claim.absenceMs after which processes of an engine that is gone have ended.
 * @param claim.waits for as long as another engine of the same place has it: they are on computers of their own, where no
 *   lock says who is gone.
 * @returns the lease, and when the step that took it began.
 * @throws KreError `failed-precondition` while an engine of another folder works on the store, or one of this folder
 *   that lost its lock.
 */
export async function takeLease(
  deps: {
    leases: Pick<LeaseStore, 'read' | 'take'>
    now: () => number
    /** Lets ms pass. */
    pause: (ms: number) => Promise<unknown>
    /** Whether the process of a holder has ended. */
    isGone: (holder: string) => Promise<boolean>
    say: (text: string) => void
  },
  claim: { holder: string; place: string; absenceMs: number; waits?: boolean },
): Promise<{ lease: Lease & { holder: string }; takenAt: number }> {
  const { leases, now, pause, isGone, say } = deps
  const { holder, place, absenceMs } = claim
  const watch = createLeaseWatch(now)
  const first = await leases.read(ENGINE_LEASE)
  for (let seen = first; ; seen = await leases.read(ENGINE_LEASE)) {
    const silentMs = watch(seen)
    const isOurs = seen === null || seen.place === null || seen.place === place
    // Somebody removed the lock of an engine that lives: the lease is what counts.
    if (isOurs && seen !== null && seen.holder !== null && !(await isGone(seen.holder))) {
      if (claim.waits !== true) throw worksHere(seen.holder)
      if (silentMs < LEASE_MS) {
        await pause(LOOK_MS)
        continue
      }
    }
    if (isOurs || silentMs >= LEASE_MS + absenceMs) {
      const takenAt = now()
      const lease = await leases.take({ name: ENGINE_LEASE, holder, place }, seen)
      if (lease !== null) return { lease: { ...lease, holder }, takenAt }
      continue
    }
    if (seen?.beat !== first?.beat || seen?.token !== first?.token) throw worksElsewhere(seen)
    if (silentMs === 0)
      say(
        `another engine (${seen?.holder ?? 'it left its versions running'}) has worked on this store with another data folder: waiting ${Math.ceil((LEASE_MS + absenceMs) / 1_000)} s, until nothing of it can run any more`,
      )
    await pause(RENEW_MS)
  }
}

function worksHere(holder: string): KreError {
  return new LeaseHeld(
    'failed-precondition',
    `an engine (${holder}) works on this folder, though somebody removed its lock: stop it with "krectl stop", or wait until it is gone`,
  )
}

function worksElsewhere(seen: Lease | null): KreError {
  return new KreError(
    'failed-precondition',
    `an engine (${seen?.holder ?? 'unknown'}) works on this store with another data folder: two would start everything twice. Stop that one, start this one beside it with "krectl dev --join" on its folder, or give this one a database prefix of its own`,
  )
}
