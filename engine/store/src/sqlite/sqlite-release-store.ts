import { KreError, type Release, type ReleaseCause, type RunningVersion } from '@kre/contracts'
import type { ReleaseStore } from '../ports/store.ts'
import type { Database, Row } from './database.ts'
import { writeOf } from './write-of.ts'

type ReleaseRow = Row & {
  runtime_id: string
  generation: number
  running: string
  published: string | null
  cause: string
}

const NEWEST_FIRST = 'SELECT * FROM releases WHERE runtime_id = ? ORDER BY generation DESC LIMIT ?'

export function createSqliteReleaseStore(db: Database): ReleaseStore {
  return {
    async current(runtimeId) {
      const row = db.get<ReleaseRow>(NEWEST_FIRST, runtimeId, 1)
      return row === null ? null : toRelease(row)
    },
    async history(runtimeId, limit) {
      return db.all<ReleaseRow>(NEWEST_FIRST, runtimeId, limit).map(toRelease)
    },
    async everRunning(runtimeId) {
      const rows = db.all<Row & { version: string }>(
        'SELECT version FROM released_versions WHERE runtime_id = ?',
        runtimeId,
      )
      return new Set(rows.map((row) => row.version))
    },
    async append(release) {
      writeOf(release.runtimeId, () => db.transaction(() => append(db, release)))
    },
  }
}

function append(db: Database, release: Release): void {
  const { runtimeId, generation } = release
  const newest = db.get<ReleaseRow>(NEWEST_FIRST, runtimeId, 1)?.generation ?? 0
  if (generation !== newest + 1)
    throw new KreError(
      'aborted',
      `release ${generation} of runtime "${runtimeId}" does not follow release ${newest}: somebody was faster; read the current release and try again`,
      { runtimeId, generation, newest },
    )
  db.run(
    'INSERT INTO releases (runtime_id, generation, running, published, cause) VALUES (?, ?, ?, ?, ?)',
    runtimeId,
    generation,
    JSON.stringify(release.running),
    release.published,
    JSON.stringify(release.cause),
  )
  for (const { version } of release.running)
    db.run(
      'INSERT INTO released_versions (runtime_id, version) VALUES (?, ?) ON CONFLICT DO NOTHING',
      runtimeId,
      version,
    )
}

function toRelease(row: ReleaseRow): Release {
  const cause = JSON.parse(row.cause) as Omit<ReleaseCause, 'at'> & { at: string }
  return {
    runtimeId: row.runtime_id,
    generation: row.generation,
    running: JSON.parse(row.running) as RunningVersion[],
    published: row.published,
    cause: { ...cause, at: new Date(cause.at) },
  }
}
