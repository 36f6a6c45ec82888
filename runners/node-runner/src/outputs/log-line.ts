/** Reads log lines as user code prints them. */
import { KiB, MINUTE_MS, type LogLevel } from '@kre/contracts/runtime'

/** Longer lines are cut: a log is for reading. In UTF-16 code units. */
export const LINE_CHARS_MAX = 16 * KiB

/** How far from now a printed time may be. Lines are read within seconds, unless a buffer holds them back. */
const PRINTED_TIME_MS = MINUTE_MS

export type LogLine = { level: LogLevel; text: string; date: string | null }

const LEVELS: Readonly<Record<string, LogLevel>> = {
  ERROR: 'ERROR',
  CRITICAL: 'ERROR',
  FATAL: 'ERROR',
  WARN: 'WARN',
  WARNING: 'WARN',
  INFO: 'INFO',
  DEBUG: 'DEBUG',
}
const WITH_LEVEL =
  /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?) +\[?(ERROR|CRITICAL|FATAL|WARN|WARNING|INFO|DEBUG)\]?:? (.*)$/s

/**
 * `<RFC 3339 time> LEVEL text`; anything else is INFO, or `otherwise`. A time that is far from now is text: it may be of
 * another time zone, or made up, and a line that is filed under it would be removed as old at once, or stay for ever.
 */
export function parseLogLine(
  line: string,
  otherwise: LogLevel = 'INFO',
  nowMs = Date.now(),
): LogLine {
  const match = WITH_LEVEL.exec(line)
  if (match === null) return { level: otherwise, text: cutLine(line), date: null }
  const [, time = '', level = '', text = ''] = match
  const date = toDate(time)
  const isNow = date !== null && Math.abs(date.getTime() - nowMs) <= PRINTED_TIME_MS
  return {
    level: LEVELS[level] ?? 'INFO',
    text: cutLine(isNow ? text : `${time} ${text}`),
    date: isNow ? date.toISOString() : null,
  }
}

/** Text that continues the line before it: indented, or the end of a traceback. */
export function continues(line: string): boolean {
  return /^(?:\s+\S|Traceback \(most recent call last\):|[\w.]*(?:Error|Exception)\b.*$|Caused by:|\})/.test(
    line,
  )
}

/** A line that fits, with a mark that says how long it was. */
export function cutLine(text: string): string {
  if (text.length <= LINE_CHARS_MAX) return text
  const mark = ` … (${text.length} characters)`
  const end = LINE_CHARS_MAX - mark.length
  // Half of a pair would be no character.
  const isPair = /[\ud800-\udbff]/.test(text[end - 1] ?? '')
  return text.slice(0, isPair ? end - 1 : end) + mark
}

function toDate(time: string): Date | null {
  const date = new Date(
    time
      .replace(' ', 'T')
      .replace(',', '.')
      .replace(/(?<!Z|[+-]\d\d:?\d\d)$/, 'Z'),
  )
  return Number.isNaN(date.getTime()) ? null : date
}
