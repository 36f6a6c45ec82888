import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { SECOND_MS } from '@kre/contracts'
import { migrate, type Migration } from './migrate.ts'
import { toKreError } from './to-kre-error.ts'

/** How long a statement waits for another process's transaction. */
const BUSY_TIMEOUT_MS = 5 * SECOND_MS
/** Pages that are kept in memory, at most: what a search of 100,000 log lines reads is some 12 MiB. */
const CACHE_KIB = 32 * 1024
/** The write-ahead log is cut back to this after a burst. */
const WAL_BYTES_KEPT = 16 * 1024 * 1024

export type Row = Record<string, unknown>

/** One SQLite file: statements are prepared once by their text, and errors come as KreError. */
export type Database = {
  readonly path: string
  run(sql: string, ...params: SQLInputValue[]): number
  all<T extends Row>(sql: string, ...params: SQLInputValue[]): T[]
  get<T extends Row>(sql: string, ...params: SQLInputValue[]): T | null
  /** All or nothing, also across processes. `work` is synchronous: nothing of this process comes between. */
  transaction<T>(work: () => T): T
  close(): void
}

/**
 * Opens or makes the file (mode 0600), checks it, and brings its schema up to date.
 *
 * Every commit is flushed to the disk: what was answered as stored survives a power cut.
 *
 * @throws KreError `unavailable` (damaged, locked, not writable), `failed-precondition` (made by a newer engine),
 * `resource-exhausted` (disk full).
 */
export function openDatabase(path: string, migrations: readonly Migration[]): Database {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw toKreError(error, path)
    }
  }
  // SQLite gives its journal files the mode of the database, so making the file first decides all of them.
  guarded(() => closeSync(openSync(path, 'a', 0o600)))
  const sqlite = guarded(
    () => new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: BUSY_TIMEOUT_MS }),
  )
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = sqlite.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  const database: Database = {
    path,
    run: (sql, ...params) => guarded(() => Number(prepare(sql).run(...params).changes)),
    // Rows have the shape that the statement names; the schema guards the types of columns (STRICT tables).
    all: <T extends Row>(sql: string, ...params: SQLInputValue[]) =>
      guarded(() => prepare(sql).all(...params) as T[]),
    get: <T extends Row>(sql: string, ...params: SQLInputValue[]) =>
      guarded(() => (prepare(sql).get(...params) ?? null) as T | null),
    transaction: (work) =>
      guarded(() => {
        sqlite.exec('BEGIN IMMEDIATE')
        try {
          const result = work()
          sqlite.exec('COMMIT')
          return result
        } catch (error) {
          // A full disk may have rolled it back already.
          if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
          throw error
        }
      }),
    close() {
      statements.clear()
      if (sqlite.isOpen) sqlite.close()
    },
  }
  try {
    guarded(() => {
      sqlite.exec('PRAGMA journal_mode = WAL')
      sqlite.exec('PRAGMA synchronous = FULL')
      sqlite.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`)
      // Negative = in KiB.
      sqlite.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
      migrate(sqlite, path, migrations)
    })
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
