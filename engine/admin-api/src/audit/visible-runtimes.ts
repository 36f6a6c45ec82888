import { KreError } from '@kre/contracts'
import type { Store } from '@kre/store'
import { isAllowed, type Principal } from '../principal.ts'

/**
 * The runtimes whose records the principal may read; null = all records, those of no runtime and of deleted runtimes
 * included: administrators.
 *
 * @throws KreError `permission-denied` when there are none.
 */
export async function auditedRuntimes(
  { runtimes }: Pick<Store, 'runtimes'>,
  principal: Principal,
): Promise<string[] | null> {
  if (isAllowed(principal, 'view whole audit', null)) return null
  const all = await runtimes.list()
  const own = all.map(({ id }) => id).filter((id) => isAllowed(principal, 'view audit', id))
  if (own.length > 0) return own
  throw new KreError('permission-denied', 'you are not allowed to view audit')
}
