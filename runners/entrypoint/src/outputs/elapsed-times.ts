import type { MeasurementRecord } from '@kre/contracts/runtime'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { ServedVersion, ServedWorkflow } from '../versions/served-version.ts'
import { originOf } from './origin.ts'
import type { OutputPublisher } from './output-publisher.ts'

type Sum = { version: ServedVersion; count: number; failed: number; totalMs: number; maxMs: number }

export type ElapsedTimes = {
  ended(request: PendingRequest, elapsedMs: number, hasFailed: boolean): void
  /** Posts what was summed up since the last call; call it every second. */
  post(): void
}

/** `workflow_elapsed_time`: request times, summed up per workflow between two posts. */
export function createElapsedTimes(outputs: OutputPublisher, incarnation: string): ElapsedTimes {
  const sums = new Map<ServedWorkflow, Sum>()
  let posts = 0

  return {
    ended(request, elapsedMs, hasFailed) {
      let sum = sums.get(request.workflow)
      if (sum === undefined) {
        sum = { version: request.method.version, count: 0, failed: 0, totalMs: 0, maxMs: 0 }
        sums.set(request.workflow, sum)
      }
      sum.count++
      if (hasFailed) sum.failed++
      sum.totalMs += elapsedMs
      sum.maxMs = Math.max(sum.maxMs, elapsedMs)
    },
    post() {
      for (const [workflow, { version, count, failed, totalMs, maxMs }] of sums) {
        const record: MeasurementRecord = {
          kind: 'measurement',
          id: `${incarnation}/workflow_elapsed_time/${++posts}`,
          timeNs: `${Date.now()}000000`,
          measurement: 'workflow_elapsed_time',
          fields: { count, failed, elapsed_ms: totalMs / count, elapsed_ms_max: maxMs },
          tags: { version: version.ref.version, workflow: workflow.id },
          ...originOf(version, workflow.id, null),
        }
        outputs.post(version, workflow.id, record)
      }
      sums.clear()
    },
  }
}
