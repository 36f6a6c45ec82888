import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SQLInputValue } from 'node:sqlite'
import { KreError, type LogRecord } from '@kre/contracts'
import { parseCursor, toCursor, type LogPosition } from '../outputs/log-cursor.ts'
import type { LogPage, LogQuery } from '../ports/store.ts'
import type { Database, Row } from './database.ts'
import { distinctValues } from './distinct-values.ts'

/** Logs on one page; a larger limit gets this many and a cursor. */
const LOGS_PAGE_MAX = 1_000
/** Rows looked at before other work of the process gets its turn: few at first, since most searches find at once. */
const SLICE_ROWS = [500, 4_000, 16_000] as const
/** Rows of all versions that are looked at one by one before each version is searched in its own index. */
const NEWEST_ROWS = 4_000
/** Versions of one runtime that are searched when none is named. */
const VERSIONS_MAX = 10_000

type LogRow = Row & { seq: number; date_ms: number; record: string }
type PositionRow = Row & { seq: number; date_ms: number }
type Filter = { readonly sql: string; readonly params: readonly SQLInputValue[] }

/** Rows strictly between two positions. */
type Range = { readonly low: LogPosition; readonly high: LogPosition }

/**
 * Searches version by version in the index that has all that is searched for, so that rows are read only when they
 * are answered; in slices, so that a search that finds nothing blocks nobody for long.
 */
export async function searchLogs(db: Database, query: LogQuery): Promise<LogPage> {
  if (!Number.isInteger(query.limit) || query.limit < 1)
    throw new KreError(
      'invalid-argument',
      `the limit of a log search is at least 1, not ${query.limit}`,
    )
  const limit = Math.min(query.limit, LOGS_PAGE_MAX)
  const found = await findRows(db, query, limit + 1)
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

async function findRows(db: Database, query: LogQuery, wanted: number): Promise<LogRow[]> {
  const filter = toFilter(query)
  let range = toRange(query)
  if (query.requestId !== undefined) return findOfRequest(db, query, range, filter, wanted)
  // Every line counts: the index by date ends with the page, however many versions there are.
  if (query.versions === undefined && filter.sql === '')
    return readSlice(db, query, ofRuntime(query.runtimeId), range, filter, wanted)
  let found: LogRow[] = []
  if (query.versions === undefined) {
    // Most searches find enough in what was written last, whichever version wrote it.
    const scope = ofRuntime(query.runtimeId)
    const end = sliceEnd(db, query, scope, range, NEWEST_ROWS)
    const newest = end === null ? range : cut(query, range, end)
    found = readSlice(db, query, scope, newest, filter, wanted)
    if (end === null || found.length >= wanted) return found
    range = behind(query, range, end)
    await nextTurn()
  }
  const versions = query.versions ?? versionsWithLogs(db, query.runtimeId)
  for (const version of new Set(versions)) {
    const own = await findInVersion(db, query, version, range, filter, wanted)
    found = [...found, ...own].toSorted(inOrder(query)).slice(0, wanted)
    const last = found[wanted - 1]
    // Nothing behind the last row of a full page is of interest any more.
    if (last !== undefined) range = cut(query, range, { dateMs: last.date_ms, seq: last.seq })
  }
  return found
}

async function findInVersion(
  db: Database,
  query: LogQuery,
  version: string,
  range: Range,
  filter: Filter,
  wanted: number,
): Promise<LogRow[]> {
  const scope: Scope = {
    index: 'logs_by_version',
    sql: 'runtime_id = ? AND version = ?',
    params: [query.runtimeId, version],
  }
  const found: LogRow[] = []
  let rest = range
  for (let slices = 0; ; slices += 1) {
    const rows = SLICE_ROWS[Math.min(slices, SLICE_ROWS.length - 1)] ?? 0
    // Without a filter every row counts, and the limit ends the search.
    const end = filter.sql === '' ? null : sliceEnd(db, query, scope, rest, rows)
    const slice = end === null ? rest : cut(query, rest, end)
    found.push(...readSlice(db, query, scope, slice, filter, wanted - found.length))
    if (end === null || found.length >= wanted) return found
    rest = behind(query, rest, end)
    if (slices > 0) await nextTurn()
  }
}

/** A request has few logs and an index of its own. */
function findOfRequest(
  db: Database,
  query: LogQuery,
  range: Range,
  filter: Filter,
  wanted: number,
): LogRow[] {
  const ofVersions = oneOf('version', query.versions)
  const scope: Scope = {
    index: 'logs_by_request',
    sql: 'runtime_id = ? AND request_id = ?',
    params: [query.runtimeId, query.requestId ?? null],
  }
  const both = {
    sql: filter.sql + ofVersions.sql,
    params: [...filter.params, ...ofVersions.params],
  }
  return readSlice(db, query, scope, range, both, wanted)
}

function versionsWithLogs(db: Database, runtimeId: string): string[] {
  const versions = { table: 'logs', column: 'version', where: 'runtime_id = ?' }
  return distinctValues(db, versions, [runtimeId], VERSIONS_MAX)
}

function inOrder({ order }: LogQuery): (a: PositionRow, b: PositionRow) => number {
  const sign = order === 'newest-first' ? -1 : 1
  return (a, b) => sign * (a.date_ms - b.date_ms || a.seq - b.seq)
}

/** Dates of JavaScript reach this far from 1970, in milliseconds. */
const DATE_MS_MAX = 8.64e15
/** Numbers that no row has: all rows of a date are behind the one and before the other. */
const BEFORE_FIRST = -1
const BEHIND_LAST = Number.MAX_SAFE_INTEGER

function toRange(query: LogQuery): Range {
  const low = { dateMs: query.from?.getTime() ?? -DATE_MS_MAX, seq: BEFORE_FIRST }
  const high = { dateMs: query.to?.getTime() ?? DATE_MS_MAX, seq: BEHIND_LAST }
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

/** The part of `range` behind `end`. */
function behind(query: LogQuery, range: Range, end: LogPosition): Range {
  return query.order === 'newest-first' ? { ...range, high: end } : { ...range, low: end }
}

/** What an index begins with, which SQLite would not always choose: it knows nothing of how the rows are spread. */
type Scope = Filter & { readonly index: 'logs_by_date' | 'logs_by_version' | 'logs_by_request' }

function ofRuntime(runtimeId: string): Scope {
  return { index: 'logs_by_date', sql: 'runtime_id = ?', params: [runtimeId] }
}

/** Pairs are compared where an end is a row; whole dates, as callers give them, are compared in half the time. */
function inRange({ low, high }: Range): Filter {
  const isWholeLow = low.seq === BEFORE_FIRST
  const isWholeHigh = high.seq === BEHIND_LAST
  return {
    sql: `${isWholeLow ? ' AND date_ms >= ?' : ' AND (date_ms, seq) > (?, ?)'}${isWholeHigh ? ' AND date_ms <= ?' : ' AND (date_ms, seq) < (?, ?)'}`,
    params: [
      ...(isWholeLow ? [low.dateMs] : [low.dateMs, low.seq]),
      ...(isWholeHigh ? [high.dateMs] : [high.dateMs, high.seq]),
    ],
  }
}

/** Position of the last row of the next slice; null = what is left is less than a slice. */
function sliceEnd(
  db: Database,
  query: LogQuery,
  scope: Scope,
  range: Range,
  rows: number,
): LogPosition | null {
  const within = inRange(range)
  const row = db.get<PositionRow>(
    `SELECT date_ms, seq FROM logs INDEXED BY ${scope.index} WHERE ${scope.sql}${within.sql} ORDER BY ${orderOf(query)} LIMIT 1 OFFSET ?`,
    ...scope.params,
    ...within.params,
    rows - 1,
  )
  return row === null ? null : { dateMs: row.date_ms, seq: row.seq }
}

function readSlice(
  db: Database,
  query: LogQuery,
  scope: Scope,
  range: Range,
  filter: Filter,
  limit: number,
): LogRow[] {
  const within = inRange(range)
  return db.all<LogRow>(
    `SELECT seq, date_ms, record FROM logs INDEXED BY ${scope.index} WHERE ${scope.sql}${within.sql}${filter.sql} ORDER BY ${orderOf(query)} LIMIT ?`,
    ...scope.params,
    ...within.params,
    ...filter.params,
    limit,
  )
}

function orderOf(query: LogQuery): string {
  return query.order === 'newest-first' ? 'date_ms DESC, seq DESC' : 'date_ms, seq'
}

function toFilter(query: LogQuery): Filter {
  const text = query.search ?? ''
  const parts: Filter[] = [
    oneOf('workflow', query.workflows),
    oneOf('node', query.nodes),
    oneOf('level', query.levels),
    text === ''
      ? { sql: '', params: [] }
      : { sql: ' AND instr(folded, ?) > 0', params: [text.toLowerCase()] },
  ]
  return {
    sql: parts.map((part) => part.sql).join(''),
    params: parts.flatMap((part) => part.params),
  }
}

function oneOf(column: string, values: readonly string[] | undefined): Filter {
  if (values === undefined) return { sql: '', params: [] }
  const [first] = values
  if (first === undefined) return { sql: ' AND 0', params: [] }
  // As many places as the next power of two, so that there are few different statements to keep.
  const places = 2 ** Math.ceil(Math.log2(values.length))
  return {
    sql: ` AND ${column} IN (${Array.from({ length: places }, () => '?').join(', ')})`,
    params: Array.from({ length: places }, (_, i) => values[i] ?? first),
  }
}
