import type { Collection } from 'mongodb'
import type { PlacementStore } from '../ports/store.ts'
import { parsePlacement } from '../records/placement-json.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'
import { writeOf } from './mongo-runtime-store.ts'

/** JSON: a placement has names of versions as fields, and those may hold dots. */
type PlacementDocument = Keyed & { placement: string; observedAt: Date }

/** A runtime has one. */
const CURRENT = 'current'

export function createMongoPlacementStore(databases: MongoDatabases): PlacementStore {
  const of = (runtimeId: string): Collection<PlacementDocument> =>
    databases.runtime(runtimeId).collection('placements')
  return {
    async put(placement) {
      const placements = of(placement.runtimeId)
      const { observedAt } = placement
      await writeOf(
        databases,
        placement.runtimeId,
        () =>
          placements.replaceOne(
            { _id: CURRENT },
            { placement: JSON.stringify(placement), observedAt },
            { upsert: true },
          ),
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
