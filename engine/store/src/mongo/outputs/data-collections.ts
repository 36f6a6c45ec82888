import type { Collection } from 'mongodb'
import { ENGINE_FIELD } from './is-native.ts'
import type { Keyed, MongoDatabases } from '../mongo-databases.ts'

/** Collections of one runtime: each costs the server files and memory, and nodes choose their names. */
export const COLLECTIONS_MAX = 500

/** The collections that hold what a runtime's nodes save. */
export type DataCollections = {
  /** The collection with its index, made when missing; a sentence when the runtime has too many. */
  open(runtimeId: string, name: string): Promise<Collection<Keyed> | string>
  /** Forgets what is known of a runtime, because it was removed. */
  forget(runtimeId: string): void
}

export function createDataCollections(databases: MongoDatabases): DataCollections {
  /** Names with their index, per runtime. */
  const known = new Map<string, Set<string>>()
  return {
    async open(runtimeId, name) {
      const db = databases.data(runtimeId)
      const names = known.get(runtimeId) ?? new Set<string>()
      known.set(runtimeId, names)
      const collection = db.collection<Keyed>(name)
      if (names.has(name)) return collection
      const there = await db.listCollections({}, { nameOnly: true }).toArray()
      if (there.length >= COLLECTIONS_MAX && there.every((each) => each.name !== name))
        return `the runtime has ${there.length} collections, and no more than ${COLLECTIONS_MAX} are made: save into one of them`
      await collection.createIndexes([{ name: 'seq', key: { [`${ENGINE_FIELD}.seq`]: 1 } }])
      names.add(name)
      return collection
    },
    forget: (runtimeId) => void known.delete(runtimeId),
  }
}
