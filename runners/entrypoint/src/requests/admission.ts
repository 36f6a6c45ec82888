/** Which requests are let in. */
import { PRIORITY_METADATA, readPriority } from '@kre/contracts/runtime'
import type { Failure } from '../grpc/failure.ts'
import type { ServedWorkflow } from '../versions/served-version.ts'
import * as failures from './request-failures.ts'

/** Requests of low priority take no more than this part of what is allowed, so that others find room. */
const LOW_SHARE = 1 / 2

/**
 * Why a request is turned away; null = it is let in.
 *
 * @param inFlight requests of the process, of all workflows.
 * @param bytes of the request's message.
 * @param now monotonic ms.
 */
export function refusalOf(
  workflow: ServedWorkflow,
  metadata: Readonly<Record<string, string>>,
  bytes: number,
  inFlight: number,
  inFlightMax: number,
  now: number,
): Failure | null {
  const priority = readPriority(metadata)
  if (priority === null) return failures.badPriority(metadata[PRIORITY_METADATA] ?? '')
  const share = priority === 'low' ? LOW_SHARE : 1
  const { maxInFlight = Infinity, maxBytes = Infinity } = workflow.limits
  if (inFlight >= inFlightMax * share) return failures.overloaded(inFlight)
  if (workflow.inFlight >= Math.ceil(maxInFlight * share))
    return failures.tooManyOfWorkflow(workflow, share < 1)
  if (bytes > maxBytes) return failures.largerThanWorkflowTakes(workflow, bytes, maxBytes)
  if (workflow.bytes + bytes > maxBytes * share && workflow.inFlight > 0)
    return failures.tooManyBytesOfWorkflow(workflow, maxBytes)
  // The nodes themselves decide about requests of high priority.
  if (priority !== 'high' && workflow.throttle.refuses(now)) return failures.nodesAreFull(workflow)
  return null
}
