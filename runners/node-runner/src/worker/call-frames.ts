/** Calls in the words of the worker's protocol. */
import { GRPC_STATUS, MESSAGE_TYPE, type ErrorCode, type LogLevel } from '@kre/contracts/runtime'
import type { MessageKind } from '@kre/sdk'
import type { WorkerFrame } from '@kre/wire'
import type { NodeCall } from '../calls/node-call.ts'

export const OUTPUT_KINDS: Readonly<Record<number, MessageKind>> = {
  [MESSAGE_TYPE.ok]: 'ok',
  [MESSAGE_TYPE.error]: 'error',
  [MESSAGE_TYPE.earlyReply]: 'earlyReply',
  [MESSAGE_TYPE.earlyExit]: 'earlyExit',
}

export const LEVELS: Readonly<Record<string, LogLevel>> = {
  ERROR: 'ERROR',
  WARN: 'WARN',
  INFO: 'INFO',
  DEBUG: 'DEBUG',
}

/** What a worker can say of a failure; all else is the handler's own. */
export const FAILURE_CODES: Readonly<Record<number, ErrorCode>> = {
  [GRPC_STATUS['invalid-argument']]: 'invalid-argument',
  [GRPC_STATUS['resource-exhausted']]: 'resource-exhausted',
}

/**
 * @param attempt number of the handler's try, those that a worker's death ended included.
 * @param batch how many messages of its batch are still to come, itself included; 0 = it is by itself.
 */
export function handleFrame(
  id: number,
  call: NodeCall,
  attempt: number,
  batch: number,
): WorkerFrame<'handle'> {
  const { requestId, fromNode, messageType, typeUrl, value, error, deadlineUnixMs, metadata } =
    call.envelope
  return {
    kind: 'handle',
    callId: id,
    requestId,
    fromNode,
    messageType,
    typeUrl,
    value,
    error,
    deadlineUnixMs,
    attempt,
    metadata,
    batch,
  }
}
