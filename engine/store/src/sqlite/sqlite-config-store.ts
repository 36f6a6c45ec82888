import { KreError } from '@kre/contracts'
import type { ConfigEntry, ConfigStore, ConfigType } from '../ports/store.ts'
import type { Database, Row } from './database.ts'
import { writeOf } from './write-of.ts'

type EntryRow = Row & { key: string; type: ConfigType; value: string; updated_at: number }

export function createSqliteConfigStore(db: Database): ConfigStore {
  // What is deleted or overwritten is wiped from its page, not only forgotten.
  db.get('PRAGMA secure_delete = ON')
  // An engine that was cut off while it encrypted left the plain text in its log.
  db.get('PRAGMA wal_checkpoint(TRUNCATE)')
  const generation = (runtimeId: string, version: string): number =>
    db.get<Row & { generation: number }>(
      'SELECT generation FROM config_generations WHERE runtime_id = ? AND version = ?',
      runtimeId,
      version,
    )?.generation ?? 0

  return {
    async get(runtimeId, version) {
      return db
        .all<EntryRow>(
          'SELECT key, type, value, updated_at FROM config_entries WHERE runtime_id = ? AND version = ? ORDER BY key',
          runtimeId,
          version,
        )
        .map(toEntry)
    },
    async set(runtimeId, version, entries, ifGeneration) {
      return writeOf(runtimeId, () =>
        db.transaction(() => {
          const inForce = generation(runtimeId, version)
          if (ifGeneration !== undefined && ifGeneration !== inForce)
            throw changedMeanwhile(version, ifGeneration, inForce)
          if (entries.length === 0) return inForce
          for (const entry of entries) upsert(db, runtimeId, version, entry)
          db.run(
            `INSERT INTO config_generations (runtime_id, version, generation) VALUES (?, ?, 1)
             ON CONFLICT DO UPDATE SET generation = generation + 1`,
            runtimeId,
            version,
          )
          return generation(runtimeId, version)
        }),
      )
    },
    async replaceValue(runtimeId, version, key, from, to) {
      const changed = db.run(
        'UPDATE config_entries SET value = ? WHERE runtime_id = ? AND version = ? AND key = ? AND value = ?',
        to,
        runtimeId,
        version,
        key,
        from,
      )
      return changed === 1
    },
    async eraseReplaced() {
      // Pages that were freed before pages were wiped, and then the log that still has the ones before.
      db.run('VACUUM')
      db.get('PRAGMA wal_checkpoint(TRUNCATE)')
    },
    async generation(runtimeId, version) {
      return generation(runtimeId, version)
    },
    async remove(runtimeId, version) {
      db.transaction(() => {
        db.run(
          'DELETE FROM config_entries WHERE runtime_id = ? AND version = ?',
          runtimeId,
          version,
        )
        db.run(
          'DELETE FROM config_generations WHERE runtime_id = ? AND version = ?',
          runtimeId,
          version,
        )
      })
    },
  }
}

function upsert(db: Database, runtimeId: string, version: string, entry: ConfigEntry): void {
  db.run(
    `INSERT INTO config_entries (runtime_id, version, key, type, value, updated_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET type = excluded.type, value = excluded.value, updated_at = excluded.updated_at`,
    runtimeId,
    version,
    entry.key,
    entry.type,
    entry.value,
    entry.updatedAt.getTime(),
  )
}

function changedMeanwhile(version: string, expected: number, inForce: number): KreError {
  return new KreError(
    'aborted',
    `the configuration of "${version}" was changed meanwhile (generation ${inForce} instead of ${expected}): read it again and decide anew`,
    { expected, inForce },
  )
}

function toEntry(row: EntryRow): ConfigEntry {
  return { key: row.key, type: row.type, value: row.value, updatedAt: new Date(row.updated_at) }
}
