/** Lines of one node in one message: what they share is said once. */
import type { LogBatch, LogRecord } from './messages.ts'

/** The records that the lines would have been alone, in their order; each has the same id whenever it is made. */
export function logRecordsOf({ idPrefix, lines, ...origin }: LogBatch): LogRecord[] {
  return lines.map(([sequence, date, level, message, requestId]) => ({
    ...origin,
    kind: 'log',
    id: `${idPrefix}${sequence}`,
    date,
    level,
    message,
    requestId,
  }))
}
