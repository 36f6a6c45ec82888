import type { Failure } from '../grpc/failure.ts'
import type { RoutedMethod, ServedWorkflow } from '../versions/served-version.ts'
import { createAnswerStream, type AnswerStream } from './answer-stream.ts'
import type { PayloadForm } from '@kre/core-nats'
import { createWheelTimer, type WheelTimer } from './timer-wheel.ts'

/** The caller's side of a request: answered, failed, or gone. */
export type Caller = {
  onGone: (() => void) | null
  answer(value: Uint8Array, requestId: string): void
  /** Ends the call; after frames of a stream, too. */
  fail(failure: Failure, requestId: string): void
  /**
   * One message of an answer that is a stream. Without `write` and `end` the caller takes a single answer only.
   *
   * @returns false when it reads too slowly: `onRoom` will be called.
   */
  write?(value: Uint8Array, requestId: string): boolean
  /** All messages of the stream were written. */
  end?(requestId: string): void
  /** Set by the broker: what `write` had to keep is on its way. */
  onRoom?: (() => void) | null
}

/** A request from admission to its end. */
export type PendingRequest = {
  /** Slot and generation in one number; the reply token in base 36. */
  readonly id: number
  readonly caller: Caller
  readonly method: RoutedMethod
  readonly workflow: ServedWorkflow
  readonly message: Uint8Array
  readonly requestId: string
  readonly replyTo: string
  readonly metadata: Record<string, string>
  /** Monotonic ms. */
  readonly startedAt: number
  readonly deadlineAt: number
  readonly deadlineUnixMs: number
  /** `sent`: with the nodes. `held`: waits for nodes or NATS. `retrying`: nobody listened, sent again soon. */
  phase: 'sent' | 'held' | 'retrying'
  /** Deliveries so far. */
  attempt: number
  /** Monotonic ms at which waiting for nodes ends; 0 = it does not wait. */
  holdUntil: number
  /** Deaths that found this request inside a handler, by key; null = none. */
  crashes: string[] | null
  timer: WheelTimer
  /** What is sent in place of the message, which is large; null = the message, or it is not packed yet. */
  packed: PayloadForm | null
  isPacking: boolean
  /** Payloads of it are in the claim bucket. */
  hasClaims: boolean
  /** Time in handlers on the way of its answer, in microseconds. */
  handlerUs: number
  /** Null: the answer is one message. */
  readonly stream: AnswerStream | null
}

/**
 * A request that begins now.
 *
 * @param id of its slot.
 * @param replyPrefix its reply subject without the token.
 * @param startedAt monotonic ms.
 * @param timeoutMs until its deadline.
 */
export function createPendingRequest(
  id: number,
  caller: Caller,
  method: RoutedMethod,
  message: Uint8Array,
  requestId: string,
  replyPrefix: string,
  metadata: Record<string, string>,
  startedAt: number,
  timeoutMs: number,
  onTimer: (request: PendingRequest) => void,
): PendingRequest {
  const request: PendingRequest = {
    id,
    caller,
    method,
    workflow: method.workflow,
    message,
    requestId,
    replyTo: replyPrefix + id.toString(36),
    metadata,
    startedAt,
    deadlineAt: startedAt + timeoutMs,
    deadlineUnixMs: Date.now() + Math.ceil(timeoutMs),
    phase: 'sent',
    attempt: 0,
    holdUntil: 0,
    crashes: null,
    timer: createWheelTimer(() => onTimer(request)),
    packed: null,
    isPacking: false,
    hasClaims: false,
    handlerUs: 0,
    stream: method.isStreaming ? createAnswerStream() : null,
  }
  return request
}
