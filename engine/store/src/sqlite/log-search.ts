import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SQLInputValue } from 'node:sqlite'
import { KreError, type LogRecord } from '@kre/contracts'
import { parseCursor, toCursor, type LogPosition } from '../outputs/log-cursor.ts'
import type { LogPage, LogQuery } from '../ports/store.ts'
import type { Database, Row } from './database.ts'

/** Logs on one page; a larger limit gets this many and a cursor. */
const LOGS_PAGE_MAX = 1_000
/** Rows looked at before other work of the process gets its turn. */
const SLICE_ROWS = 5_000

type LogRow = Row & { seq: number; date_ms: number; record: string }
type PositionRow = Row & { seq: number; date_ms: number }
type Filter = { readonly sql: string; readonly params: readonly SQLInputValue[] }

/** Rows strictly between two positions. */
type Range = { readonly low: LogPosition; readonly high: LogPosition }

/** Makes `kre_contains(text, lower-cased needle)` known: SQLite's own lower() knows ASCII alone. */
export function defineContains(db: Database): void {
  db.define('kre_contains', (text = '', needle = '') => text.toLowerCase().includes(needle))
}

/** Searches in slices of the index by date, so that a search that finds nothing blocks nobody for long. */
export async function searchLogs(db: Database, query: LogQuery): Promise<LogPage> {
  if (!Number.isInteger(query.limit) || query.limit < 1)
    throw new KreError(
      'invalid-argument',
      `the limit of a log search is at least 1, not ${query.limit}`,
    )
  const limit = Math.min(query.limit, LOGS_PAGE_MAX)
  const filter = toFilter(query)
  const found: LogRow[] = []
  let range = toRange(query)
  for (;;) {
    // A request has few logs and an index of its own.
    const end = query.requestId === undefined ? sliceEnd(db, query, range) : null
    const slice = end === null ? range : cut(query, range, end)
    found.push(...readSlice(db, query, slice, filter, limit + 1 - found.length))
    if (end === null || found.length > limit) break
    range = query.order === 'newest-first' ? { ...range, high: end } : { ...range, low: end }
    await nextTurn()
  }
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return {
    items: items.map((row) => JSON.parse(row.record) as LogRecord),
    cursor:
      found.length > limit && last !== undefined
        ? toCursor(query.order, { dateMs: last.date_ms, seq: last.seq })
        : null,
  }
}

/** Dates of JavaScript reach this far from 1970, in milliseconds. */
const DATE_MS_MAX = 8.64e15

function toRange(query: LogQuery): Range {
  const low = { dateMs: query.from?.getTime() ?? -DATE_MS_MAX, seq: -1 }
  const high = { dateMs: query.to?.getTime() ?? DATE_MS_MAX, seq: Number.MAX_SAFE_INTEGER }
  if (Number.isNaN(low.dateMs) || Number.isNaN(high.dateMs))
    throw new KreError('invalid-argument', 'a log search has an invalid date as its "from" or "to"')
  if (query.cursor === undefined) return { low, high }
  const cursor = parseCursor(query.order, query.cursor)
  return query.order === 'newest-first'
    ? { low, high: isBefore(cursor, high) ? cursor : high }
    : { low: isBefore(low, cursor) ? cursor : low, high }
}

function isBefore(a: LogPosition, b: LogPosition): boolean {
  return a.dateMs < b.dateMs || (a.dateMs === b.dateMs && a.seq < b.seq)
}

/** The part of `range` up to and including `end`. */
function cut(query: LogQuery, range: Range, end: LogPosition): Range {
  return query.order === 'newest-first'
    ? { ...range, low: { ...end, seq: end.seq - 1 } }
    : { ...range, high: { ...end, seq: end.seq + 1 } }
}

const IN_RANGE = 'runtime_id = ? AND (date_ms, seq) > (?, ?) AND (date_ms, seq) < (?, ?)'

function rangeParams(query: LogQuery, { low, high }: Range): SQLInputValue[] {
  return [query.runtimeId, low.dateMs, low.seq, high.dateMs, high.seq]
}

/** Position of the last row of the next slice; null = what is left is less than a slice. */
function sliceEnd(db: Database, query: LogQuery, range: Range): LogPosition | null {
  const row = db.get<PositionRow>(
    `SELECT date_ms, seq FROM logs WHERE ${IN_RANGE} ORDER BY ${orderOf(query)} LIMIT 1 OFFSET ${SLICE_ROWS - 1}`,
    ...rangeParams(query, range),
  )
  return row === null ? null : { dateMs: row.date_ms, seq: row.seq }
}

function readSlice(
  db: Database,
  query: LogQuery,
  range: Range,
  filter: Filter,
  limit: number,
): LogRow[] {
  return db.all<LogRow>(
    `SELECT seq, date_ms, record FROM logs WHERE ${IN_RANGE}${filter.sql} ORDER BY ${orderOf(query)} LIMIT ?`,
    ...rangeParams(query, range),
    ...filter.params,
    limit,
  )
}

function orderOf(query: LogQuery): string {
  return query.order === 'newest-first' ? 'date_ms DESC, seq DESC' : 'date_ms, seq'
}

function toFilter(query: LogQuery): Filter {
  const oneOf = (column: string, values: readonly string[] | undefined): Filter[] =>
    values === undefined
      ? []
      : [
          {
            sql: ` AND ${column} IN (SELECT value FROM json_each(?))`,
            params: [JSON.stringify(values)],
          },
        ]
  const parts: Filter[] = [
    ...oneOf('version', query.versions),
    ...oneOf('workflow', query.workflows),
    ...oneOf('node', query.nodes),
    ...oneOf('level', query.levels),
    ...(query.requestId === undefined
      ? []
      : [{ sql: ' AND request_id = ?', params: [query.requestId] }]),
    ...(query.search === undefined || query.search === ''
      ? []
      : [
          {
            sql: ` AND kre_contains(json_extract(record, '$.message'), ?)`,
            params: [query.search.toLowerCase()],
          },
        ]),
  ]
  return {
    sql: parts.map((part) => part.sql).join(''),
    params: parts.flatMap((part) => part.params),
  }
}
