import type { Collection, Db, FindCursor, MongoClient } from 'mongodb'
import { inTurn, turnOf } from './in-turn.ts'
import { isDuplicate } from './to-kre-error.ts'

/** A document whose key is the engine's own text or number, never an ObjectId. */
export type Keyed<K extends string | number = string> = { _id: K }

/** Names of the databases, all in one place. */
export type MongoDatabases = {
  /** `kre`: runtimes, users, sessions, settings, bundles. */
  readonly engine: Db
  /** `<id>`: versions, releases, configuration, placements, logs, measurements of a runtime. */
  runtime(runtimeId: string): Db
  /** `<id>-data`: predictions and documents of a runtime, in collections that its nodes name. */
  data(runtimeId: string): Db
}

/**
 * @param prefix in front of each database's name, so that several engines can share a server; empty = KRE's own names.
 */
export function mongoDatabases(client: MongoClient, prefix: string): MongoDatabases {
  return {
    engine: client.db(`${prefix}kre`),
    runtime: (runtimeId) => client.db(`${prefix}${runtimeId}`),
    data: (runtimeId) => client.db(`${prefix}${runtimeId}-data`),
  }
}

/**
 * The filter for one document by its key. A text and nothing else, whatever a caller gave, so it needs no operator
 * around it; and FerretDB uses its index for a filter of this form alone.
 */
export function keyIs(id: string): Keyed {
  return { _id: String(id) }
}

/** Numbers for the order of things: each call gets `count` following ones, unique in the database. Gaps are fine. */
export async function takeNumbers(db: Db, name: string, count: number): Promise<number> {
  const counters: Collection<Keyed & { n: number }> = db.collection('counters')
  const add = async (): Promise<number> => {
    const counter = await counters.findOneAndUpdate(
      { _id: name },
      { $inc: { n: count } },
      { upsert: true, returnDocument: 'after' },
    )
    return (counter?.n ?? count) - count + 1
  }
  return inTurn(turnOf(counters, name), async () => {
    try {
      return await add()
    } catch (error) {
      // Two made the counter at once; now it is there.
      if (isDuplicate(error)) return add()
      throw error
    }
  })
}

/** The first documents of a cursor, as SQL's LIMIT has it: none for 0, which a server reads as all. */
export async function firstOf<T>(cursor: FindCursor<T>, limit: number): Promise<T[]> {
  return limit >= 1 ? cursor.limit(Math.floor(limit)).toArray() : []
}
