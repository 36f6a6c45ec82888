/** What a log view shows, as it stands in the address of the page. Pure. */
import type { LogFilters, LogLevel } from '../gen/documents.ts'

const LEVELS: readonly LogLevel[] = ['ERROR', 'WARN', 'INFO', 'DEBUG']
/** Hours. */
export const RANGES = ['1', '6', '24', '168'] as const
const HOUR_MS = 3_600_000

export type LogFilter = {
  readonly text: string
  /** This level and worse. */
  readonly level: LogLevel
  /** `Node.id`; empty = all. */
  readonly node: string
  readonly request: string
  readonly hours: (typeof RANGES)[number]
}

export function readLogFilter(search: URLSearchParams): LogFilter {
  return {
    text: search.get('text') ?? '',
    level: LEVELS.find((level) => level === search.get('level')) ?? 'DEBUG',
    node: search.get('node') ?? '',
    request: search.get('request') ?? '',
    hours: RANGES.find((hours) => hours === search.get('hours')) ?? '24',
  }
}

/** @param now milliseconds since 1970. */
export function toApiFilters(filter: LogFilter, versionName: string, now: number): LogFilters {
  const { text, level, node, request, hours } = filter
  return {
    startDate: new Date(now - Number(hours) * HOUR_MS).toISOString(),
    versionsIds: [versionName],
    ...(text === '' ? {} : { search: text }),
    ...(level === 'DEBUG' ? {} : { levels: LEVELS.slice(0, LEVELS.indexOf(level) + 1) }),
    ...(node === '' ? {} : { nodeIds: [node] }),
    ...(request === '' ? {} : { requestId: request }),
  }
}
