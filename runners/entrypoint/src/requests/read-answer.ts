/** What a message in the reply inbox means for the request it belongs to. Pure. */
import { constants, gunzipSync } from 'node:zlib'
import {
  decodeEnvelope,
  ENCODING,
  type Envelope,
  KreError,
  MESSAGE_TYPE,
  RETRY_AFTER_METADATA,
  toKreError,
} from '@kre/contracts/runtime'
import { createFailure, type Failure } from '../grpc/failure.ts'
import { NODE_OVERLOADED } from './request-failures.ts'
import type { PayloadForm } from '@kre/core-nats'

export type Expected = {
  readonly requestId: string
  readonly workflow: string
  readonly responseUrl: string
  readonly isStreaming: boolean
  /** Largest answer, in bytes. */
  readonly payloadBytesMax: number
}

export type Answer =
  | {
      readonly kind: 'value'
      readonly value: Uint8Array
      readonly endsWorkflow: boolean
      /** Nothing more of the workflow is to be expected. */
      readonly isFinal: boolean
      readonly hasClaims: boolean
      /** Of a frame of a stream. */
      readonly sequence: number
      /** Time in handlers on its way, in microseconds. */
      readonly handlerUs: number
    }
  /** The value has to be fetched or decompressed first. */
  | {
      readonly kind: 'packed'
      readonly payload: PayloadForm
      readonly endsWorkflow: boolean
      readonly isFinal: boolean
      readonly hasClaims: boolean
      readonly fromNode: string
      readonly sequence: number
      readonly handlerUs: number
    }
  /** The stream is complete when `frames` of the sender have come. */
  | {
      readonly kind: 'end'
      readonly frames: number
      readonly hasClaims: boolean
      readonly handlerUs: number
    }
  | { readonly kind: 'failure'; readonly failure: Failure; readonly hasClaims: boolean }
  /** It belongs to another request. */
  | { readonly kind: 'foreign' }

const STATUS_MAX = 16
const INTERNAL = 13

export function readAnswer(data: Uint8Array, expected: Expected): Answer {
  let envelope: Envelope
  try {
    envelope = decodeEnvelope(isGzip(data) ? inflate(data, expected.payloadBytesMax) : data)
  } catch (error) {
    return failed(
      expected,
      '',
      'MALFORMED_ANSWER',
      `sent an answer that can't be read: ${reasonOf(error)}`,
    )
  }
  // Compared first: what belongs to one request must never touch another.
  if (envelope.requestId !== expected.requestId) return { kind: 'foreign' }
  const answer = answerOf(envelope, expected)
  const hasClaims = envelope.hasClaims || envelope.claim !== null
  return answer.kind === 'failure' ? { ...answer, hasClaims } : answer
}

function answerOf(envelope: Envelope, expected: Expected): Answer {
  switch (envelope.messageType) {
    case MESSAGE_TYPE.error:
      return nodeFailure(envelope, expected)
    case MESSAGE_TYPE.earlyExit:
      return valueOf(envelope, expected)
    case MESSAGE_TYPE.ok:
    case MESSAGE_TYPE.earlyReply:
      return expected.isStreaming ? wrongKind(envelope, expected) : valueOf(envelope, expected)
    case MESSAGE_TYPE.frame:
      return expected.isStreaming ? valueOf(envelope, expected) : wrongKind(envelope, expected)
    case MESSAGE_TYPE.end:
      return expected.isStreaming ? endOf(envelope) : wrongKind(envelope, expected)
    case MESSAGE_TYPE.credit:
    case MESSAGE_TYPE.undefined:
      return wrongKind(envelope, expected)
  }
}

function endOf({ sequence, hasClaims, handlerUs }: Envelope): Answer {
  return { kind: 'end', frames: sequence, hasClaims, handlerUs }
}

function wrongKind({ fromNode, messageType }: Envelope, expected: Expected): Answer {
  const rpc = expected.isStreaming ? 'that returns a stream' : 'with a single answer'
  const text = `sent a message of kind ${messageType}, which is no answer of an rpc ${rpc}`
  return failed(expected, fromNode, 'MALFORMED_ANSWER', text)
}

function valueOf(envelope: Envelope, expected: Expected): Answer {
  const { fromNode, typeUrl } = envelope
  if (typeUrl !== expected.responseUrl && typeName(typeUrl) !== typeName(expected.responseUrl)) {
    const text = `answered with a ${typeName(typeUrl) || 'message without a type'}, the rpc returns ${typeName(expected.responseUrl)}`
    return failed(expected, fromNode, 'WRONG_ANSWER_TYPE', text)
  }
  const { value, claim, encoding, messageType, sequence } = envelope
  const bytes = claim?.size ?? value.length
  if (bytes > expected.payloadBytesMax) return tooLarge(expected, fromNode, `${bytes} bytes`)
  const common = {
    endsWorkflow: messageType === MESSAGE_TYPE.earlyExit,
    isFinal: messageType !== MESSAGE_TYPE.earlyReply,
    hasClaims: envelope.hasClaims,
    fromNode,
    sequence,
    handlerUs: envelope.handlerUs,
  }
  return claim === null && encoding === ENCODING.none
    ? { kind: 'value', value, ...common }
    : { kind: 'packed', payload: { value, claim, encoding }, ...common }
}

/** What a payload that could not be had means for its request. */
export function unreadable(expected: Expected, fromNode: string, error: unknown): Failure {
  const { code, message } = toKreError(error)
  if (code === 'resource-exhausted')
    return tooLargeFailure(expected, fromNode, 'more bytes (inflated)')
  const text = `node "${fromNode}" sent an answer that can't be read: ${message}`
  const more = { workflow: expected.workflow, node: fromNode }
  return code === 'invalid-argument'
    ? createFailure('internal', 'MALFORMED_ANSWER', text, more)
    : createFailure(code, 'ANSWER_LOST', text, more)
}

function nodeFailure(envelope: Envelope, expected: Expected): Answer {
  const { statusCode, fromNode, error } = envelope
  const status = statusCode >= 1 && statusCode <= STATUS_MAX ? statusCode : INTERNAL
  const message = error === '' ? `node "${fromNode}" failed without a text` : error
  const retryAfterMs = Number(envelope.metadata[RETRY_AFTER_METADATA])
  const isOverload = retryAfterMs > 0
  const failure = {
    status,
    message,
    reason: isOverload ? NODE_OVERLOADED : 'NODE_FAILED',
    node: fromNode,
    workflow: expected.workflow,
    ...(isOverload ? { retryAfterMs } : {}),
  }
  return { kind: 'failure', failure, hasClaims: false }
}

function failed(expected: Expected, node: string, reason: string, what: string): Answer {
  const who = node === '' ? `a node of workflow "${expected.workflow}"` : `node "${node}"`
  const more = { workflow: expected.workflow, node }
  return {
    kind: 'failure',
    failure: createFailure('internal', reason, `${who} ${what}`, more),
    hasClaims: false,
  }
}

function tooLarge(expected: Expected, node: string, size: string): Answer {
  return { kind: 'failure', failure: tooLargeFailure(expected, node, size), hasClaims: false }
}

function tooLargeFailure(expected: Expected, node: string, size: string): Failure {
  return createFailure(
    'resource-exhausted',
    'ANSWER_TOO_LARGE',
    `node "${node}" answered with ${size} and the limit is ${expected.payloadBytesMax}: answer with less, or raise the runtime's payload limit`,
    { workflow: expected.workflow, node },
  )
}

function typeName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
}

/** Whole messages were compressed by the original runners, known by their first bytes; no envelope starts so. */
function isGzip(data: Uint8Array): boolean {
  return data[0] === 0x1f && data[1] === 0x8b
}

function inflate(data: Uint8Array, bytesMax: number): Uint8Array {
  // Room for the envelope around the payload.
  return gunzipSync(data, {
    maxOutputLength: bytesMax + constants.Z_DEFAULT_CHUNK,
  })
}

function reasonOf(error: unknown): string {
  return error instanceof KreError ? error.message : 'it is not valid gzip'
}
