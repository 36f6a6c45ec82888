import { KreError, type BundleFacts } from '@kre/contracts'
import type { Version, VersionStore } from '../ports/store.ts'
import { createFactsCache } from '../records/facts-cache.ts'
import type { Database, Row } from './database.ts'
import { isUniqueViolation } from './to-kre-error.ts'
import { writeOf } from './write-of.ts'

type VersionRow = Row & {
  id: string
  runtime_id: string
  name: string
  description: string
  bundle_digest: string
  bundle_bytes: number
  created_at: number
  created_by: string
  published_at: number | null
  published_by: string | null
}

/** Without `facts`: they are long, and known from the second time on. */
const COLUMNS =
  'id, runtime_id, name, description, bundle_digest, bundle_bytes, created_at, created_by, published_at, published_by'

export function createSqliteVersionStore(db: Database): VersionStore {
  const facts = createFactsCache()
  const factsOf = (id: string) =>
    facts.get(id, () => {
      const row = db.get<Row & { facts: string }>('SELECT facts FROM versions WHERE id = ?', id)
      return row?.facts ?? null
    })
  /** None for a version that another engine has removed since its row was read. */
  const toVersions = (row: VersionRow): Version[] => {
    const known = factsOf(row.id)
    return known === null ? [] : [toVersion(row, known)]
  }
  return {
    async create(version) {
      try {
        writeOf(version.runtimeId, () => insert(db, version))
      } catch (error) {
        if (isUniqueViolation(error))
          throw new KreError(
            'already-exists',
            `there is already a version "${version.name}" in runtime "${version.runtimeId}": choose another version name`,
            { runtimeId: version.runtimeId, version: version.name },
          )
        throw error
      }
    },
    async find(runtimeId, name) {
      const row = db.get<VersionRow>(
        `SELECT ${COLUMNS} FROM versions WHERE runtime_id = ? AND name = ?`,
        runtimeId,
        name,
      )
      return row === null ? null : (toVersions(row)[0] ?? null)
    },
    async list(runtimeId) {
      return db
        .all<VersionRow>(
          `SELECT ${COLUMNS} FROM versions WHERE runtime_id = ? ORDER BY created_at DESC, seq DESC`,
          runtimeId,
        )
        .flatMap(toVersions)
    },
    async markPublished(runtimeId, name, by, at) {
      const changed = db.run(
        'UPDATE versions SET published_at = ?, published_by = ? WHERE runtime_id = ? AND name = ?',
        at.getTime(),
        by,
        runtimeId,
        name,
      )
      if (changed === 0)
        throw new KreError(
          'not-found',
          `there is no version "${name}" in runtime "${runtimeId}": it may have been deleted meanwhile`,
          { runtimeId, version: name },
        )
    },
    async remove(runtimeId, name) {
      db.transaction(() => {
        db.run('DELETE FROM versions WHERE runtime_id = ? AND name = ?', runtimeId, name)
        // Its configuration holds secrets, and must not wait for another version of the name.
        db.run('DELETE FROM config_entries WHERE runtime_id = ? AND version = ?', runtimeId, name)
        db.run(
          'DELETE FROM config_generations WHERE runtime_id = ? AND version = ?',
          runtimeId,
          name,
        )
        // Another version of the name has never run.
        db.run(
          'DELETE FROM released_versions WHERE runtime_id = ? AND version = ?',
          runtimeId,
          name,
        )
      })
    },
    async usesBundle(digest) {
      return db.get('SELECT 1 FROM versions WHERE bundle_digest = ? LIMIT 1', digest) !== null
    },
  }
}

function insert(db: Database, version: Version): void {
  db.run(
    `INSERT INTO versions (id, runtime_id, name, description, bundle_digest, bundle_bytes, facts,
       created_at, created_by, published_at, published_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    version.id,
    version.runtimeId,
    version.name,
    version.description,
    version.bundleDigest,
    version.bundleBytes,
    JSON.stringify(version.facts),
    version.createdAt.getTime(),
    version.createdBy,
    version.publishedAt?.getTime() ?? null,
    version.publishedBy,
  )
}

function toVersion(row: VersionRow, facts: BundleFacts): Version {
  return {
    id: row.id,
    runtimeId: row.runtime_id,
    name: row.name,
    description: row.description,
    bundleDigest: row.bundle_digest,
    bundleBytes: row.bundle_bytes,
    facts,
    createdAt: new Date(row.created_at),
    createdBy: row.created_by,
    publishedAt: row.published_at === null ? null : new Date(row.published_at),
    publishedBy: row.published_by,
  }
}
