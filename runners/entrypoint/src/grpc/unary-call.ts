/** The server's side of one gRPC call that takes one message: how it is read, answered (once, or by a stream) and given up. */
import { toKreError } from '@kre/contracts/runtime'
import { compress, decompress, isWorthCompressing } from '@kre/core-nats'
import type { Http2Stream, StreamHandler } from '../http2/http2-stream.ts'
import { H2_ERROR } from '../http2/protocol.ts'
import type { RequestHeaders } from '../http2/request-headers.ts'
import type { Limits } from '../limits.ts'
import { createWheelTimer, type TimerWheel, type WheelTimer } from '../requests/timer-wheel.ts'
import type { ByteBudget } from './byte-budget.ts'
import {
  createFailure,
  type Failure,
  failureHeaders,
  failureTrailers,
  RETRY_AFTER_MS,
  noRoomForRequest,
} from './failure.ts'
import {
  encodeFrame,
  framePieces,
  FrameReader,
  type FrameReceiver,
  tooLarge,
} from './frame-reader.ts'
import { OK_GZIP_HEADERS, OK_HEADERS, okTrailers } from './ok-response.ts'

export type CallContext = {
  readonly limits: Limits
  readonly payloadBytesMax: number
  readonly budget: ByteBudget
  readonly wheel: TimerWheel
  /** Streams whose message is still arriving. */
  receiving: number
  /** A call ended before its message was complete. @param reason of a closed set, as failures have it. */
  readonly onRefused: (reason: string) => void
}

type OnMessage = (call: UnaryCall, message: Uint8Array) => void

/**
 * Reads exactly one message and hands it over with the call. Everything that is wrong with it ends the call here
 * with a status that says what; a caller that stalls is cut off after `receiveMs`.
 */
export function receiveUnary(
  context: CallContext,
  stream: Http2Stream,
  onMessage: OnMessage,
): void {
  stream.handler = new UnaryCall(context, stream, onMessage)
}

export class UnaryCall implements StreamHandler, FrameReceiver {
  readonly stream: Http2Stream
  /** Called once when the caller goes away before the call was answered. */
  onGone: (() => void) | null = null
  onRoom: (() => void) | null = null
  readonly #context: CallContext
  readonly #take: OnMessage
  readonly #timer: WheelTimer
  readonly #reader: FrameReader
  #state: 'receiving' | 'waiting' | 'streaming' | 'ended' = 'receiving'
  /** Bytes taken of the budget. */
  #held = 0
  /** Of these, how many are messages of a stream that wait for the caller. */
  #unread = 0
  #received: Uint8Array | null = null
  #isCompressed = false

  constructor(context: CallContext, stream: Http2Stream, take: OnMessage) {
    this.stream = stream
    this.#context = context
    this.#take = take
    this.#timer = createWheelTimer(() => this.#onTimer())
    this.#reader = new FrameReader(context.payloadBytesMax, this)
    context.receiving++
    const refusal = refusalOf(stream.headers, context)
    if (refusal === null) context.wheel.schedule(this.#timer, context.limits.receiveMs)
    else this.fail(refusal, '')
  }

  answer(value: Uint8Array, requestId: string): void {
    this.onGone = null
    this.#leaveReceiving('ended')
    // Nearly every client accepts gzip; one that uses it itself is far enough away to gain by it.
    const accepted = this.stream.headers.get('grpc-accept-encoding') ?? ''
    if (!this.#isCompressed || !accepted.includes('gzip') || !isWorthCompressing(value)) {
      this.#write(value, false, requestId)
      return
    }
    void compress(value).then(
      (compressed) => this.#write(compressed, true, requestId),
      () => this.#write(value, false, requestId),
    )
  }

  write(value: Uint8Array): boolean {
    const { stream } = this
    if (stream.isClosed) return true
    this.#openStream()
    const frame = encodeFrame(value)
    if (stream.write(frame)) return true
    this.#unread += frame.length
    this.#held += frame.length
    this.#context.budget.add(frame.length)
    return false
  }

  end(requestId: string): void {
    this.#openStream()
    this.#endStream(okTrailers(requestId))
  }

  fail(failure: Failure, requestId: string): void {
    if (this.#state === 'streaming') {
      // Trailers would come after what the caller does not read, and there is no room for that: callers know this reset
      // as RESOURCE_EXHAUSTED (grpc/doc/PROTOCOL-HTTP2.md).
      const isCrowded = this.#unread > 0 && this.#context.budget.isFull()
      if (isCrowded) this.stream.reset(H2_ERROR.enhanceYourCalm)
      else this.#endStream(failureTrailers(failure, requestId))
      return
    }
    this.onGone = null
    this.#reader.stop()
    if (this.#state === 'receiving') this.#context.onRefused(failure.reason)
    this.#leaveReceiving('ended')
    this.stream.respond(failureHeaders(failure, requestId), true)
  }

  onData(chunk: Buffer): void {
    this.#reader.push(chunk)
  }

  onEnd(): void {
    const { stream } = this
    if (this.#state !== 'receiving') return
    if (this.#reader.isInsideFrame) this.fail(truncated(), '')
    else if (this.#received === null) this.fail(wrongCount('no message'), '')
    else if (!this.#isCompressed) this.#accept(this.#received)
    else if (stream.headers.get('grpc-encoding') === 'gzip') this.#inflate(this.#received)
    else this.fail(undeclaredEncoding(), '')
  }

  onDrain(): void {
    this.#context.budget.give(this.#unread)
    this.#held -= this.#unread
    this.#unread = 0
    this.onRoom?.()
  }

  onClose(): void {
    const { wheel, budget } = this.#context
    this.#leaveReceiving('ended')
    wheel.cancel(this.#timer)
    this.#reader.stop()
    budget.give(this.#held)
    this.#held = 0
    this.#unread = 0
    const gone = this.onGone
    this.onGone = null
    gone?.()
  }

  reserve(bytes: number): boolean {
    if (!this.#context.budget.take(bytes)) return false
    this.#held += bytes
    return true
  }

  onMessage(message: Uint8Array, isCompressed: boolean): void {
    if (this.#received !== null) {
      this.fail(wrongCount('more than one message'), '')
      return
    }
    this.#received = message
    this.#isCompressed = isCompressed
  }

  onFailure(failure: Failure): void {
    this.fail(failure, '')
  }

  #onTimer(): void {
    if (this.#state === 'receiving') this.fail(tooSlow(this.#context.limits.receiveMs), '')
    // The answer was not read in time: the stream's memory is worth more than the caller.
    else this.stream.reset(H2_ERROR.cancel)
  }

  #openStream(): void {
    if (this.#state === 'streaming') return
    this.#state = 'streaming'
    this.stream.respond(OK_HEADERS)
  }

  #endStream(trailers: Uint8Array): void {
    const { stream } = this
    const { wheel, limits } = this.#context
    this.onGone = null
    this.#state = 'ended'
    stream.end(trailers)
    // What waits for its caller does not wait for ever.
    if (!stream.isClosed) wheel.schedule(this.#timer, limits.flushMs)
  }

  #leaveReceiving(next: 'waiting' | 'ended'): void {
    if (this.#state === 'receiving') this.#context.receiving--
    this.#state = next
  }

  #write(value: Uint8Array, isGzip: boolean, requestId: string): void {
    const { stream } = this
    const { budget, wheel, limits } = this.#context
    if (stream.isClosed) return
    this.#held += value.length
    budget.add(value.length)
    stream.respond(isGzip ? OK_GZIP_HEADERS : OK_HEADERS)
    for (const piece of framePieces(value, isGzip)) stream.write(piece)
    stream.end(okTrailers(requestId))
    // Written to the last byte, it is closed by now; what waits for its caller does not wait for ever.
    if (!stream.isClosed) wheel.schedule(this.#timer, limits.flushMs)
  }

  #accept(message: Uint8Array): void {
    this.#leaveReceiving('waiting')
    this.#context.wheel.cancel(this.#timer)
    this.#take(this, message)
  }

  #inflate(message: Uint8Array): void {
    const { budget, payloadBytesMax } = this.#context
    // Counted before it is there, as inflating may take all of it; and by itself, as it goes on when the caller has gone.
    if (!budget.take(payloadBytesMax)) {
      this.fail(noRoomForRequest(), '')
      return
    }
    void decompress(message, payloadBytesMax).then(
      (inflated) => {
        budget.give(payloadBytesMax)
        if (this.#isOver()) return
        this.#held += inflated.length
        budget.add(inflated.length)
        this.#accept(inflated)
      },
      (error: unknown) => {
        budget.give(payloadBytesMax)
        if (this.#isOver()) return
        const isTooLarge = toKreError(error).code === 'resource-exhausted'
        this.fail(isTooLarge ? tooLarge('more (inflated)', payloadBytesMax) : malformedGzip(), '')
      },
    )
  }

  #isOver(): boolean {
    return this.stream.isClosed || this.#state === 'ended'
  }
}

function refusalOf(headers: RequestHeaders, context: CallContext): Failure | null {
  const encoding = headers.get('grpc-encoding') ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    return createFailure(
      'unimplemented',
      'UNKNOWN_ENCODING',
      `message encoding "${encoding}" is not supported: use identity or gzip`,
    )
  }
  if (context.receiving > context.limits.receivingMax) {
    return createFailure(
      'resource-exhausted',
      'TOO_MANY_STREAMS',
      `more than ${context.limits.receivingMax} requests are arriving at once: try again`,
      { retryAfterMs: RETRY_AFTER_MS },
    )
  }
  return null
}

function tooSlow(receiveMs: number): Failure {
  return createFailure(
    'deadline-exceeded',
    'REQUEST_TOO_SLOW',
    `the request did not arrive completely within ${receiveMs} ms`,
  )
}

function wrongCount(what: string): Failure {
  return createFailure(
    'unimplemented',
    'WRONG_MESSAGE_COUNT',
    `the rpc is unary and takes exactly one message, the request has ${what}`,
  )
}

function truncated(): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_FRAME',
    'the request ends inside a message: its length prefix promises more bytes than were sent',
  )
}

function undeclaredEncoding(): Failure {
  return createFailure(
    'internal',
    'UNDECLARED_ENCODING',
    'the message is flagged as compressed, but the request has no grpc-encoding: declare gzip or send it plain',
  )
}

function malformedGzip(): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_ENCODING',
    'the message is flagged as gzip and is not valid gzip',
  )
}
