/** The failures that the entrypoint itself finds, in a user's words. */
import { PRIORITIES, PRIORITY_METADATA, toKreError } from '@kre/contracts/runtime'
import { createFailure, type Failure, RETRY_AFTER_MS } from '../grpc/failure.ts'
import { isAsleep, type ServedWorkflow } from '../versions/served-version.ts'
import type { PendingRequest } from './pending-request.ts'

/** The reason of refusals by nodes, and of those at the door on their behalf. */
export const NODE_OVERLOADED = 'NODE_OVERLOADED'
/** Longer than for lack of room at the door, which may be there in the next moment. */
const OVERLOAD_RETRY_AFTER_MS = 500
/** A process needs about as long to start. */
const START_RETRY_AFTER_MS = 1_000

export function overloaded(inFlight: number): Failure {
  return createFailure(
    'resource-exhausted',
    'TOO_MANY_REQUESTS',
    `${inFlight} requests are in flight, as many as this entrypoint takes: try again`,
    { retryAfterMs: RETRY_AFTER_MS },
  )
}

export function tooManyOfWorkflow({ id, inFlight }: ServedWorkflow, isLow: boolean): Failure {
  return createFailure(
    'resource-exhausted',
    'WORKFLOW_FULL',
    `${inFlight} requests of workflow "${id}" are in flight, as many as its limits.maxInFlight lets in${isLow ? ' with low priority' : ''}: try again`,
    { workflow: id, retryAfterMs: RETRY_AFTER_MS },
  )
}

export function tooManyBytesOfWorkflow({ id, bytes }: ServedWorkflow, maxBytes: number): Failure {
  return createFailure(
    'resource-exhausted',
    'WORKFLOW_FULL',
    `requests of workflow "${id}" with ${bytes} bytes are in flight, and its limits.maxBytes is ${maxBytes}: try again`,
    { workflow: id, retryAfterMs: RETRY_AFTER_MS },
  )
}

export function nodesAreFull({ id }: ServedWorkflow): Failure {
  return createFailure(
    'resource-exhausted',
    NODE_OVERLOADED,
    `nodes of workflow "${id}" turn most requests away, because their queues are full: try again later, or give them more replicas`,
    { workflow: id, retryAfterMs: OVERLOAD_RETRY_AFTER_MS },
  )
}

/** It would never be let in. */
export function largerThanWorkflowTakes(
  { id }: ServedWorkflow,
  bytes: number,
  maxBytes: number,
): Failure {
  return createFailure(
    'invalid-argument',
    'PAYLOAD_TOO_LARGE',
    `the request has ${bytes} bytes, and limits.maxBytes of workflow "${id}" is ${maxBytes}: send less, or raise it`,
    { workflow: id },
  )
}

export function badPriority(given: string): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_PRIORITY',
    `${PRIORITY_METADATA} "${given.slice(0, 40)}" is no priority: use ${PRIORITIES.join(', ')}`,
  )
}

export function tooManyHeld(heldMax: number, why: string): Failure {
  return createFailure(
    'unavailable',
    'NODE_MISSING',
    `${why}, and ${heldMax} requests wait for that already: try again`,
    { retryAfterMs: RETRY_AFTER_MS },
  )
}

/** They would all be sent at once to the first replica that comes. */
export function tooManyWaitForStart(heldMax: number, why: string): Failure {
  return createFailure(
    'resource-exhausted',
    'NODE_STARTING',
    `${why}, and ${heldMax} requests wait for that already: try again`,
    { retryAfterMs: START_RETRY_AFTER_MS },
  )
}

export function natsIsBusy(): Failure {
  return createFailure(
    'unavailable',
    'NATS_DOWN',
    'NATS does not keep up: too many messages wait for it already. Try again',
    { retryAfterMs: RETRY_AFTER_MS },
  )
}

export function badTimeout(header: string): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_TIMEOUT',
    `grpc-timeout "${header}" is not a timeout: use 1 to 8 digits and one of H, M, S, m, u, n`,
  )
}

export function expired(request: PendingRequest, isNatsUp: boolean): Failure {
  const limit = Math.round(request.deadlineAt - request.startedAt)
  const waits = request.phase !== 'sent' || request.workflow.missing.length > 0
  const waited = waits ? ` (${whyHeld(request, isNatsUp)})` : ''
  return createFailure(
    'deadline-exceeded',
    'DEADLINE_EXCEEDED',
    `workflow "${request.workflow.id}" did not answer within ${limit} ms${waited}`,
    {
      workflow: request.workflow.id,
      node: waited === '' ? undefined : request.workflow.missing[0],
    },
  )
}

/** The wait for nodes or NATS is over: never accepted, or accepted and then lost. */
export function gaveUp(request: PendingRequest, isNatsUp: boolean, waitedMs: number): Failure {
  const { workflow, attempt } = request
  const more = { workflow: workflow.id, node: workflow.missing[0] }
  const why = `${whyHeld(request, isNatsUp)} (waited ${waitedMs} ms)`
  return attempt === 0
    ? createFailure('unavailable', isNatsUp ? 'NODE_MISSING' : 'NATS_DOWN', why, more)
    : createFailure('aborted', 'REQUEST_LOST', `the request was lost in flight: ${why}`, more)
}

export function whyHeld(request: PendingRequest, isNatsUp: boolean): string {
  const { missing, id } = request.workflow
  const { version } = request.method.version.ref
  if (!isNatsUp) return 'the entrypoint has no connection to NATS'
  if (missing.length === 0)
    return `no node listens to the requests of workflow "${id}" of version "${version}"`
  const names = missing.map((node) => `"${node}"`).join(', ')
  const who = `${missing.length === 1 ? 'node' : 'nodes'} ${names} of workflow "${id}" of version "${version}"`
  if (isAsleep(request.workflow))
    return `${who} ${missing.length === 1 ? 'was' : 'were'} scaled to zero and ${missing.length === 1 ? 'is' : 'are'} still starting`
  return `${who} ${missing.length === 1 ? 'has' : 'have'} no ready replica`
}

export function crashedTwice(request: PendingRequest, node: string, reason: string): Failure {
  return createFailure(
    'internal',
    'NODE_CRASHED',
    `node "${node}" crashed twice while handling this request${reason === '' ? '' : `: ${reason}`}`,
    { workflow: request.workflow.id, node },
  )
}

export function tooManyAttempts(request: PendingRequest): Failure {
  return createFailure(
    'aborted',
    'REQUEST_LOST',
    `the request was lost in flight ${request.attempt} times and is not sent again: see the logs of workflow "${request.workflow.id}" for the cause`,
    { workflow: request.workflow.id },
  )
}

export function tooLargeForNats(bytes: number, bytesMax: number): Failure {
  return createFailure(
    'invalid-argument',
    'PAYLOAD_TOO_LARGE',
    `the request takes ${bytes} bytes with its envelope and the NATS server's limit (max_payload) is ${bytesMax}`,
  )
}

export function stopped(request: PendingRequest): Failure {
  const more = { workflow: request.workflow.id }
  return request.attempt === 0
    ? createFailure('unavailable', 'STOPPING', 'the entrypoint is stopping: try again', more)
    : createFailure(
        'aborted',
        'STOPPING',
        'the entrypoint stopped before the workflow answered',
        more,
      )
}

export function streamCut(request: PendingRequest, why: string): Failure {
  const { delivered } = request.stream ?? { delivered: 0 }
  return createFailure(
    'aborted',
    'STREAM_CUT',
    `the stream was cut after ${delivered} ${delivered === 1 ? 'message' : 'messages'}: ${why}. It is not begun again, as messages would be repeated: ask again`,
    { workflow: request.workflow.id },
  )
}

export function callerTooSlow(request: PendingRequest): Failure {
  return createFailure(
    'resource-exhausted',
    'CALLER_TOO_SLOW',
    'the caller reads its stream more slowly than it is sent, and the entrypoint has no room to keep more: read faster, or ask for less',
    { workflow: request.workflow.id },
  )
}

export function doorTakesNoStream(rpc: string): Failure {
  return createFailure(
    'unimplemented',
    'STREAM_NOT_SERVED',
    `rpc "${rpc}" returns a stream, which can't be read through this protocol: call it by gRPC`,
  )
}

export function notPacked(request: PendingRequest, error: unknown): Failure {
  const { code, message } = toKreError(error)
  return createFailure(
    code,
    'PAYLOAD_NOT_SENT',
    `the request's message of ${request.message.length} bytes can't be sent: ${message}`,
    { workflow: request.workflow.id, retryAfterMs: RETRY_AFTER_MS },
  )
}

export function noRoomForAnswer(request: PendingRequest): Failure {
  return createFailure(
    'resource-exhausted',
    'BYTES_IN_FLIGHT',
    'the answer is large, and the entrypoint holds as many bytes as it may: try again',
    { workflow: request.workflow.id, retryAfterMs: RETRY_AFTER_MS },
  )
}
