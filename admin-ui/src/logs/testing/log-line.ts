import type { LogLine } from '../../gen/documents.ts'

/** Line `n` of a log, with a second between one and the next. */
export const logLine = (n: number): LogLine => ({
  id: `l${n}`,
  date: new Date(n * 1000).toISOString(),
  nodeId: 'wf.a',
  nodeName: 'a',
  workflowName: 'wf',
  message: `line ${n}`,
  level: 'INFO',
  requestId: null,
})
