import type { DocumentPath } from './document-path.ts'
import type { WorkflowGraph, WorkflowLimits } from './graph.ts'
import type { Report } from './issue-collector.ts'
import { BYTES_IN_FLIGHT_MAX } from './limits.ts'
import { parseQuantity } from './quantity.ts'
import type { WorkflowDraft } from './schema.ts'

type Place = { path: DocumentPath; subject: string; report: Report }

/** How much of a workflow may be under way; no entry where nothing is said. */
export function normaliseLimits(
  draft: WorkflowDraft['limits'],
  place: Place,
): Pick<WorkflowGraph, 'limits'> {
  if (draft === undefined) return {}
  const { maxInFlight, maxBytes, maxQueueAgeMs } = draft
  const bytes = maxBytes === undefined ? null : readBytes(maxBytes, place)
  const limits: WorkflowLimits = {
    ...(maxInFlight === undefined ? {} : { maxInFlight }),
    ...(bytes === null ? {} : { maxBytes: bytes }),
    ...(maxQueueAgeMs === undefined ? {} : { maxQueueAgeMs }),
  }
  return Object.keys(limits).length === 0 ? {} : { limits }
}

function readBytes(written: string | number, { path, subject, report }: Place): number | null {
  const bytes = parseQuantity(String(written), 'one')
  if (bytes !== null && bytes <= BYTES_IN_FLIGHT_MAX) return bytes
  report.add({
    code: 'FIELD_VALUE',
    path: [...path, 'limits', 'maxBytes'],
    message: `${subject}limits.maxBytes "${String(written).slice(0, 40)}" is no quantity above 0 and up to 1Ti`,
    hint: 'write for example 64Mi',
  })
  return null
}
