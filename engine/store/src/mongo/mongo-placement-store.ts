import type { Collection } from 'mongodb'
import { writtenByAnother } from '../leases/written-by-another.ts'
import type { PlacementStore } from '../ports/store.ts'
import { parsePlacement } from '../records/placement-json.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'
import { writeOf } from './mongo-runtime-store.ts'
import { isDuplicate } from './to-kre-error.ts'

/** JSON: a placement has names of versions as fields, and those may hold dots. */
type PlacementDocument = Keyed & { placement: string; observedAt: Date; token?: number }

/** A runtime has one. */
const CURRENT = 'current'

export function createMongoPlacementStore(databases: MongoDatabases): PlacementStore {
  const of = (runtimeId: string): Collection<PlacementDocument> =>
    databases.runtime(runtimeId).collection('placements')
  return {
    async put(placement, token = 0) {
      const placements = of(placement.runtimeId)
      const document = {
        placement: JSON.stringify(placement),
        observedAt: placement.observedAt,
        token,
      }
      await writeOf(
        databases,
        placement.runtimeId,
        () => replaceOlder(placements, placement.runtimeId, document),
        () => placements.deleteOne({ _id: CURRENT }),
      )
    },
    async get(runtimeId) {
      const found = await of(runtimeId).findOne({ _id: CURRENT })
      return found === null ? null : parsePlacement(found.placement)
    },
    async remove(runtimeId) {
      await of(runtimeId).deleteOne({ _id: CURRENT })
    },
  }
}

/** One with a higher token is no match, so that the upsert meets its key. */
async function replaceOlder(
  placements: Collection<PlacementDocument>,
  runtimeId: string,
  document: Omit<PlacementDocument, '_id'> & { token: number },
): Promise<void> {
  const older = [{ token: { $lte: document.token } }, { token: { $exists: false } }]
  try {
    await placements.replaceOne({ _id: CURRENT, $or: older }, document, { upsert: true })
  } catch (error) {
    if (isDuplicate(error)) throw writtenByAnother(runtimeId, document.token)
    throw error
  }
}
