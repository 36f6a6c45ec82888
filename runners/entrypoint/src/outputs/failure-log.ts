import type { LogRecord } from '@kre/contracts/runtime'
import type { Failure } from '../grpc/failure.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { originOf } from './origin.ts'
import type { OutputPublisher } from './output-publisher.ts'

/** Log records between two ticks; a storm of failures is one cause many times. */
const RECORDS_PER_TICK_MAX = 50

export type FailureLog = {
  failed(request: PendingRequest, failure: Failure): void
  /** Opens the next interval and says how many records the last one dropped; call it every second. */
  tick(): void
}

/** Writes the failures that are somebody's bug into the version's log, at a bounded rate. */
export function createFailureLog(outputs: OutputPublisher, incarnation: string): FailureLog {
  let records = 0
  let inTick = 0
  let dropped: { version: ServedVersion; count: number } | null = null

  const write = (
    version: ServedVersion,
    message: string,
    workflow: string | null,
    requestId: string | null,
  ) => {
    const record: LogRecord = {
      kind: 'log',
      id: `${incarnation}/log/${++records}`,
      date: new Date().toISOString(),
      level: 'ERROR',
      message,
      ...originOf(version, workflow, requestId),
    }
    outputs.post(version, null, record)
  }

  return {
    failed(request, failure) {
      const { version } = request.method
      if (++inTick > RECORDS_PER_TICK_MAX) {
        dropped = { version, count: (dropped?.count ?? 0) + 1 }
        return
      }
      write(version, failure.message, request.workflow.id, request.requestId)
    },
    tick() {
      inTick = 0
      if (dropped === null) return
      write(dropped.version, `dropped ${dropped.count} records of failed requests`, null, null)
      dropped = null
    },
  }
}
