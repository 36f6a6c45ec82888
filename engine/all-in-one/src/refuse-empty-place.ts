import { KreError } from '@kre/contracts'
import type { Store } from '@kre/store'

/**
 * A wrong letter in an address leads to databases that know no version: the engine would end everything that runs.
 *
 * @param place.before where the data was at the last start, as the file at `path` says.
 * @throws KreError `failed-precondition` when it is elsewhere now, and nobody has ever done anything there.
 */
export async function refuseEmptyPlace(
  audit: Pick<Store['audit'], 'newest'>,
  { path, before, now }: { path: string; before: string; now: string },
): Promise<void> {
  if (before === now || (await audit.newest()) !== null) return
  throw new KreError(
    'failed-precondition',
    `the data of this engine was in ${before}, and ${now} is empty: set KRE_MONGODB_URI and KRE_MONGODB_PREFIX as they were, or move the data first; to begin anew there, which ends what runs, remove ${path}`,
  )
}
