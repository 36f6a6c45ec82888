import { KreError } from '@kre/contracts'
import type { Db } from 'mongodb'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'
import { isDuplicate } from './to-kre-error.ts'

/** One numbered step of the databases. Steps that were released never change. */
export type MongoMigration = {
  readonly name: string
  /**
   * Can be interrupted anywhere and run again, also by two engines at once, while others read and write:
   * it adds indexes and fields, and takes away only what no engine that knows the step before needs.
   */
  run(databases: MongoDatabases): Promise<void>
}

type MigrationDocument = Keyed<number> & {
  name: string
  startedAt: Date
  /** Absent while it runs, and after it was interrupted. */
  finishedAt?: Date
}

/**
 * Runs what is not recorded as finished, in order; collection `migrations` of the engine's database records it.
 *
 * @throws KreError `failed-precondition` when a newer engine has used the databases: they are left alone.
 */
export async function migrateMongo(
  databases: MongoDatabases,
  migrations: readonly MongoMigration[],
  where: string,
): Promise<void> {
  const recorded = databases.engine.collection<MigrationDocument>('migrations')
  const known = await recorded.find({}).toArray()
  const newest = Math.max(0, ...known.map(({ _id }) => _id))
  if (newest > migrations.length) throw madeByNewer(databases.engine, where, newest, migrations)
  const finished = new Set(known.flatMap(({ _id, finishedAt }) => (finishedAt ? _id : [])))
  for (const [index, migration] of migrations.entries()) {
    const number = index + 1
    if (finished.has(number)) continue
    const begun = { $set: { name: migration.name, startedAt: new Date() } }
    await recorded.updateOne({ _id: number }, begun, { upsert: true }).catch((error: unknown) => {
      // Another engine has begun it at the same moment.
      if (!isDuplicate(error)) throw error
    })
    await migration.run(databases)
    await recorded.updateOne({ _id: number }, { $set: { finishedAt: new Date() } })
  }
}

function madeByNewer(
  engine: Db,
  where: string,
  newest: number,
  migrations: readonly MongoMigration[],
): KreError {
  return new KreError(
    'failed-precondition',
    `the database ${engine.databaseName} at ${where} has schema ${newest}, and this engine knows schemas up to ${migrations.length}: it was used by a newer engine; start that one, or restore a backup made before the upgrade`,
    { schema: newest, schemaMax: migrations.length },
  )
}
