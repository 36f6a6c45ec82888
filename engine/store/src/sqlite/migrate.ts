import type { DatabaseSync } from 'node:sqlite'
import { KreError } from '@kre/contracts'

/** One numbered step of a schema: SQL that brings version n to n+1. Steps that were released never change. */
export type Migration = string

/**
 * Brings the schema to the newest version, each step in a transaction of its own.
 * Several processes may do it at once: the loser of each step finds it done.
 *
 * @throws KreError `failed-precondition` when the file was made by a newer engine: it is left alone.
 */
export function migrate(
  sqlite: DatabaseSync,
  path: string,
  migrations: readonly Migration[],
): void {
  for (;;) {
    const version = readVersion(sqlite)
    if (version > migrations.length)
      throw new KreError(
        'failed-precondition',
        `the database ${path} has schema ${version}, and this engine knows schemas up to ${migrations.length}: it was used by a newer engine; start that one, or restore a backup made before the upgrade`,
        { schema: version, schemaMax: migrations.length },
      )
    const step = migrations[version]
    if (step === undefined) return
    sqlite.exec('BEGIN IMMEDIATE')
    try {
      if (readVersion(sqlite) === version) {
        sqlite.exec(step)
        sqlite.exec(`PRAGMA user_version = ${version + 1}`)
      }
      sqlite.exec('COMMIT')
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
      throw error
    }
  }
}

function readVersion(sqlite: DatabaseSync): number {
  return Number(sqlite.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
}
