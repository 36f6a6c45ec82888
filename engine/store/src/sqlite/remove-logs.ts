import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database, Row } from './database.ts'

/** Lines removed before other work of the process gets its turn. */
const REMOVAL_ROWS = 2_000

type SliceRow = Row & { lines: number; bytes: number | null }

/** What one removal took away. */
export type RemovedLogs = { lines: number; bytes: number }

/**
 * Removes a runtime's oldest lines in slices and keeps its usage right.
 *
 * @param where.before lines before this moment, in milliseconds since 1970.
 * @param where.bytesLeft goes on only while the runtime's lines have more bytes than that.
 */
export async function removeOldestLogs(
  db: Database,
  runtimeId: string,
  where: { before?: number; bytesLeft?: number },
): Promise<RemovedLogs> {
  const removed = { lines: 0, bytes: 0 }
  for (;;) {
    const slice = db.transaction(() => {
      const excess =
        where.bytesLeft === undefined ? null : logBytes(db, runtimeId) - where.bytesLeft
      return excess !== null && excess <= 0
        ? null
        : removeSlice(db, runtimeId, where.before, excess)
    })
    if (slice === null || slice.lines === 0) return removed
    removed.lines += slice.lines
    removed.bytes += slice.bytes
    await nextTurn()
  }
}

/** Counts lines that were written or, with negative numbers, removed. */
export function countLogs(db: Database, runtimeId: string, lines: number, bytes: number): void {
  db.run(
    `INSERT INTO log_usage (runtime_id, lines, bytes) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET lines = lines + excluded.lines, bytes = bytes + excluded.bytes`,
    runtimeId,
    lines,
    bytes,
  )
}

/** Runtimes that have logs. */
export function runtimesWithLogs(db: Database): string[] {
  return db
    .all<Row & { runtime_id: string }>('SELECT runtime_id FROM log_usage WHERE lines > 0')
    .map((row) => row.runtime_id)
}

function logBytes(db: Database, runtimeId: string): number {
  const row = db.get<Row & { bytes: number }>(
    'SELECT bytes FROM log_usage WHERE runtime_id = ?',
    runtimeId,
  )
  return row?.bytes ?? 0
}

/** @param excess removes no more lines than it takes to free so many bytes; null = all of the slice. */
function removeSlice(
  db: Database,
  runtimeId: string,
  before: number | undefined,
  excess: number | null,
): RemovedLogs {
  // Of the oldest lines, those before which less than the excess is freed; the last of them may free more.
  const slice = db.get<SliceRow>(
    `SELECT count(*) AS lines, sum(bytes) AS bytes
     FROM (
       SELECT bytes, sum(bytes) OVER (ORDER BY date_ms, seq) - bytes AS freed
       FROM (SELECT seq, date_ms, bytes FROM logs WHERE runtime_id = ? AND date_ms < ?
             ORDER BY date_ms, seq LIMIT ${REMOVAL_ROWS})
     ) WHERE freed < ?`,
    runtimeId,
    before ?? Number.MAX_SAFE_INTEGER,
    excess ?? Number.MAX_SAFE_INTEGER,
  )
  const lines = slice?.lines ?? 0
  if (lines === 0) return { lines: 0, bytes: 0 }
  const bytes = slice?.bytes ?? 0
  db.run(
    `DELETE FROM logs WHERE seq IN (
       SELECT seq FROM logs WHERE runtime_id = ? ORDER BY date_ms, seq LIMIT ?)`,
    runtimeId,
    lines,
  )
  countLogs(db, runtimeId, -lines, -bytes)
  return { lines, bytes }
}
