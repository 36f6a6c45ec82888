import { ENTRYPOINT } from '@kre/contracts'
import type { LogRecord } from '@kre/contracts'
import { nodeIdOf } from '../logs/log-filters.ts'
import { logDate, visibleMessage } from '../logs/visible-message.ts'

export function toGraphqlLog(record: LogRecord) {
  return {
    id: record.id,
    date: logDate(record),
    nodeId: nodeIdOf(record),
    nodeName: record.nodeName ?? record.node ?? ENTRYPOINT,
    workflowId: record.workflow ?? '',
    workflowName: record.workflowName ?? record.workflow ?? '',
    versionName: record.version,
    message: visibleMessage(record.message),
    level: record.level,
    requestId: record.requestId,
    /** Lines before it that a reader was too slow for. */
    leftOut: 0,
  }
}
