/** What a log view shows, as it stands in the address of the page. Pure. */
import type { LogFilters, LogLevel } from '../gen/documents.ts'

const LEVELS: readonly LogLevel[] = ['ERROR', 'WARN', 'INFO', 'DEBUG']
/** Hours. */
export const RANGES = ['1', '6', '24', '168'] as const
const HOUR_MS = 3_600_000
/** Around a line all that is kept may be looked at. */
const AROUND_HOURS = 24 * 366

export type LogFilter = {
  readonly text: string
  /** This level and worse. */
  readonly level: LogLevel
  /** `Node.id`; empty = all. */
  readonly node: string
  readonly request: string
  readonly hours: (typeof RANGES)[number]
  /** A moment, and the line there: all lines around it are shown, whatever the others say. Null = the newest lines. */
  readonly around: { readonly date: string; readonly id: string } | null
}

export function readLogFilter(search: URLSearchParams): LogFilter {
  const date = search.get('around') ?? ''
  return {
    text: search.get('text') ?? '',
    level: LEVELS.find((level) => level === search.get('level')) ?? 'DEBUG',
    node: search.get('node') ?? '',
    request: search.get('request') ?? '',
    hours: RANGES.find((hours) => hours === search.get('hours')) ?? '24',
    around: Number.isNaN(Date.parse(date)) ? null : { date, id: search.get('line') ?? '' },
  }
}

/** @param now milliseconds since 1970. */
export function toApiFilters(filter: LogFilter, versionName: string, now: number): LogFilters {
  const { text, level, node, request, hours, around } = filter
  const versionsIds = [versionName]
  if (around !== null) {
    const startDate = new Date(Date.parse(around.date) - AROUND_HOURS * HOUR_MS).toISOString()
    return { startDate, endDate: around.date, versionsIds }
  }
  return {
    startDate: new Date(now - Number(hours) * HOUR_MS).toISOString(),
    versionsIds,
    ...(text === '' ? {} : { search: text }),
    ...(level === 'DEBUG' ? {} : { levels: LEVELS.slice(0, LEVELS.indexOf(level) + 1) }),
    ...(node === '' ? {} : { nodeIds: [node] }),
    ...(request === '' ? {} : { requestId: request }),
  }
}
