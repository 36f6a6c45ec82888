import { KreError } from '@kre/contracts'
import type { Db } from 'mongodb'
import { indexRuntime } from './migrations.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'
import { isDuplicate } from './to-kre-error.ts'

type ClaimDocument = Keyed & { runtimeId: string; claimedAt: Date }

/**
 * The engine's record of which databases are its own. A runtime's databases have names that people choose, and a
 * server may hold databases of others: without a claim nothing is written into one, and nothing dropped.
 */
export type DatabaseClaims = {
  /**
   * Claims a runtime's databases and makes their indexes, once per process.
   *
   * @throws KreError `failed-precondition` when one of the names is somebody else's database.
   */
  take(runtimeId: string): Promise<void>
  /** Every runtime whose databases were ever claimed. */
  runtimeIds(): Promise<string[]>
  /** Drops a runtime's databases with all that is in them. The claim stays, so that the next runtime of the id can. */
  dropData(runtimeId: string): Promise<void>
}

export function createDatabaseClaims(databases: MongoDatabases): DatabaseClaims {
  const claims = databases.engine.collection<ClaimDocument>('databases')
  /** Promises, so that parallel callers wait for the one that does it. */
  const taken = new Map<string, Promise<void>>()

  const claim = async (db: Db, runtimeId: string): Promise<void> => {
    if ((await claims.findOne({ _id: db.databaseName })) !== null) return
    const [found] = await db.listCollections({}, { nameOnly: true }).toArray()
    if (found !== undefined) throw foreign(db.databaseName, found.name, runtimeId)
    try {
      await claims.insertOne({ _id: db.databaseName, runtimeId, claimedAt: new Date() })
    } catch (error) {
      // Another process of this engine was faster.
      if (!isDuplicate(error)) throw error
    }
  }

  return {
    async take(runtimeId) {
      const taking =
        taken.get(runtimeId) ??
        (async () => {
          await claim(databases.runtime(runtimeId), runtimeId)
          await claim(databases.data(runtimeId), runtimeId)
          await indexRuntime(databases, runtimeId)
        })()
      taken.set(runtimeId, taking)
      try {
        await taking
      } catch (error) {
        taken.delete(runtimeId)
        throw error
      }
    },
    async runtimeIds() {
      const found = await claims.find({}).toArray()
      return [...new Set(found.map(({ runtimeId }) => runtimeId))]
    },
    async dropData(runtimeId) {
      taken.delete(runtimeId)
      for (const db of [databases.runtime(runtimeId), databases.data(runtimeId)])
        if ((await claims.findOne({ _id: db.databaseName })) !== null) await db.dropDatabase()
    },
  }
}

function foreign(database: string, collection: string, runtimeId: string): KreError {
  return new KreError(
    'failed-precondition',
    `the database "${database}" exists and is not this engine's (it has a collection "${collection}"): runtime "${runtimeId}" would mix with it; choose another runtime id, or another MongoDB server`,
    { database, runtimeId },
  )
}
