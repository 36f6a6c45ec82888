import type { LogBatch } from '@kre/contracts'
import { sampleLog } from '@kre/store/testing'

/** The lines of one node in one message; their ids are `n/0`, `n/1` … */
export function sampleLogBatch(
  messages: readonly string[],
  changes: Partial<LogBatch> = {},
): LogBatch {
  const { id: _, kind: _kind, date, level, message: _message, requestId, ...shared } = sampleLog('')
  return {
    kind: 'logs',
    idPrefix: 'n/',
    ...shared,
    lines: messages.map((message, sequence) => [sequence, date, level, message, requestId]),
    ...changes,
  }
}
