import type { LeaseStore } from '@kre/store'
import { ENGINE_LEASE } from './take-lease.ts'

/** Removes locks between engines whose holders died with them: nobody may ever ask for them again. */
export async function removeDeadLocks(
  leases: LeaseStore,
  isGone: (holder: string) => Promise<boolean>,
): Promise<void> {
  for (const { name, holder, token } of await leases.list())
    if (name !== ENGINE_LEASE && holder !== null && (await isGone(holder)))
      await leases.remove({ name, holder, token })
}
