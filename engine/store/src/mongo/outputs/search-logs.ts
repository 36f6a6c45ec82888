import { KreError } from '@kre/contracts'
import type { Collection, Filter } from 'mongodb'
import { parseCursor, toCursor } from '../../outputs/log-cursor.ts'
import type { LogPage, LogQuery } from '../../ports/store.ts'
import { SEARCH_MS_MAX } from './find-documents.ts'
import { toLogRecord, type LogDocument } from './output-document.ts'

/** Logs on one page; a larger limit gets this many and a cursor. */
const LOGS_PAGE_MAX = 1_000
/** Characters of a text that are searched for; the longest lines are 16 KiB, and longer patterns are refused by servers. */
const SEARCH_CHARS_MAX = 4_096

export async function searchLogs(logs: Collection<LogDocument>, query: LogQuery): Promise<LogPage> {
  if (!Number.isInteger(query.limit) || query.limit < 1)
    throw new KreError(
      'invalid-argument',
      `the limit of a log search is at least 1, not ${query.limit}`,
    )
  const limit = Math.min(query.limit, LOGS_PAGE_MAX)
  const direction = query.order === 'newest-first' ? -1 : 1
  const found = await logs
    .find(logFilter(query), { maxTimeMS: SEARCH_MS_MAX })
    .sort({ date: direction, seq: direction })
    .limit(limit + 1)
    .toArray()
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map((document) => toLogRecord(query.runtimeId, document)),
    cursor:
      found.length > limit && last !== undefined
        ? toCursor(query.order, { dateMs: last.date.getTime(), seq: last.seq })
        : null,
  }
}

/** Every value of the caller is a scalar behind an operator of ours. */
export function logFilter(query: LogQuery): Filter<LogDocument> {
  const parts: Filter<LogDocument>[] = [
    ...dates(query),
    ...oneOf('versionName', query.versions),
    ...oneOf('workflowId', query.workflows),
    ...oneOf('nodeId', query.nodes),
    ...oneOf('level', query.levels),
  ]
  if (query.requestId !== undefined) parts.push({ requestId: { $eq: query.requestId } })
  if (query.search !== undefined && query.search !== '')
    parts.push({ message: { $regex: literal(query.search), $options: 'i' } })
  return parts.length === 0 ? {} : { $and: parts }
}

function dates({ from, to, order, cursor }: LogQuery): Filter<LogDocument>[] {
  for (const date of [from, to])
    if (date !== undefined && Number.isNaN(date.getTime()))
      throw new KreError(
        'invalid-argument',
        'a log search has an invalid date as its "from" or "to"',
      )
  const parts: Filter<LogDocument>[] = [
    ...(from === undefined ? [] : [{ date: { $gte: from } }]),
    ...(to === undefined ? [] : [{ date: { $lte: to } }]),
  ]
  if (cursor === undefined) return parts
  const { dateMs, seq } = parseCursor(order, cursor)
  const date = new Date(dateMs)
  // The first part gives the index its bound; the second leaves out what the page before had of the same millisecond.
  parts.push(
    order === 'newest-first'
      ? { date: { $lte: date }, $or: [{ date: { $lt: date } }, { seq: { $lt: seq } }] }
      : { date: { $gte: date }, $or: [{ date: { $gt: date } }, { seq: { $gt: seq } }] },
  )
  return parts
}

function oneOf(field: string, values: readonly string[] | undefined): Filter<LogDocument>[] {
  return values === undefined ? [] : [{ [field]: { $in: values.map(String) } }]
}

/** A pattern that matches the text alone. A NUL would end a pattern, so it is written as its number. */
function literal(text: string): string {
  if (text.length > SEARCH_CHARS_MAX)
    throw new KreError(
      'invalid-argument',
      `the text to search for has ${text.length} characters: use at most ${SEARCH_CHARS_MAX}`,
    )
  return text
    .replaceAll(/[\\^$.*+?()[\]{}|/#\s-]/g, (char) => `\\x{${char.charCodeAt(0).toString(16)}}`)
    .replaceAll('\0', '\\x{0}')
}
