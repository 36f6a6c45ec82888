/** A gRPC call of which both sides send any number of messages, as long as they like; each is answered in its turn. */
import { decompress } from '@kre/core-nats'
import {
  createFailure,
  type Failure,
  RETRY_AFTER_MS,
  noRoomForRequest,
} from '../../grpc/failure.ts'
import { FrameReader, type FrameReceiver } from '../../grpc/frame-reader.ts'
import { parseGrpcTimeout } from '../../grpc/grpc-timeout.ts'
import { openServerStream, refuseStream, type ServerStream } from '../../grpc/server-stream.ts'
import type { CallContext } from '../../grpc/unary-call.ts'
import type { Http2Stream, StreamHandler } from '../../http2/http2-stream.ts'
import { H2_ERROR } from '../../http2/protocol.ts'
import { badTimeout } from '../../requests/request-failures.ts'
import { createWheelTimer } from '../../requests/timer-wheel.ts'
import { createOrderedAnswers, type Job } from './ordered-answers.ts'

/** Requests of a stream that are read and not yet answered; more are not read. */
const TURNS_MAX = 64

/** What a request costs beside its bytes: an empty message takes memory, too. */
const TURN_BYTES = 512

/** @param leftMs until the stream's deadline; Infinity = it has none. */
type ToJob = (message: Uint8Array, leftMs: () => number) => Job

/** A call that lasts as long as its caller likes. */
export type OpenStream = {
  /** Takes no more requests, and ends when those it has are answered. */
  drain(): void
}

/**
 * @param open has the call in it while it lasts.
 * @param toJob called once for each message, in their order.
 */
export function serveMessageStream(
  context: CallContext,
  stream: Http2Stream,
  open: Set<OpenStream>,
  toJob: ToJob,
): void {
  const given = stream.headers.get('grpc-timeout')
  const timeoutMs = parseGrpcTimeout(given)
  const encoding = stream.headers.get('grpc-encoding') ?? 'identity'
  const isKnown = encoding === 'identity' || encoding === 'gzip'
  if (timeoutMs !== null && isKnown) {
    const opened: MessageStream = new MessageStream(context, stream, timeoutMs, toJob, () =>
      open.delete(opened),
    )
    open.add(opened)
    stream.handler = opened
    return
  }
  const failure = isKnown ? badTimeout(given ?? '') : unknownEncoding(encoding)
  context.onRefused(failure.reason)
  refuseStream(stream, failure)
}

class MessageStream implements StreamHandler, FrameReceiver, OpenStream {
  readonly #context: CallContext
  readonly #stream: Http2Stream
  readonly #out: ServerStream
  readonly #reader: FrameReader
  readonly #toJob: ToJob
  /** Monotonic ms. */
  readonly #deadlineAt: number
  readonly #deadline = createWheelTimer(() => this.#end(expired()))
  readonly #receiving = createWheelTimer(() => this.#end(tooSlow(this.#context.limits.receiveMs)))
  /** What is not read in time: its memory is worth more than the caller. */
  readonly #flushing = createWheelTimer(() => this.#stream.reset(H2_ERROR.cancel))
  readonly #turns = createOrderedAnswers({
    write: (message) => this.#write(message),
    hold: (bytes) => this.#hold(bytes),
    release: (bytes) => this.#release(bytes),
  })
  /** Bytes taken of the budget; some of them for the message that arrives, some for what the caller has to read. */
  #held = 0
  #arriving = 0
  #unread = 0
  #hasEnded = false
  #isDraining = false
  #isOver = false
  readonly #onClosed: () => void

  constructor(
    context: CallContext,
    stream: Http2Stream,
    timeoutMs: number,
    toJob: ToJob,
    onClosed: () => void,
  ) {
    this.#onClosed = onClosed
    this.#context = context
    this.#stream = stream
    this.#toJob = toJob
    this.#deadlineAt = performance.now() + timeoutMs
    this.#reader = new FrameReader(context.payloadBytesMax, this)
    this.#out = openServerStream(stream)
    if (timeoutMs !== Infinity) context.wheel.schedule(this.#deadline, timeoutMs)
  }

  onData(chunk: Buffer): void {
    this.#reader.push(chunk)
    this.#update()
  }

  onEnd(): void {
    this.#hasEnded = true
    if (this.#reader.isInsideFrame) this.#end(truncated())
    else this.#update()
  }

  onDrain(): void {
    this.#release(this.#unread)
    this.#unread = 0
    if (!this.#isOver) this.#context.wheel.cancel(this.#flushing)
    this.#turns.drained()
    this.#update()
  }

  drain(): void {
    this.#isDraining = true
    this.#update()
  }

  onClose(): void {
    this.#isOver = true
    this.#onClosed()
    this.#reader.stop()
    this.#cancelTimers()
    this.#context.wheel.cancel(this.#flushing)
    this.#turns.abandon()
    this.#release(this.#held)
  }

  reserve(bytes: number): boolean {
    if (!this.#context.budget.take(bytes)) return false
    this.#held += bytes
    this.#arriving += bytes
    return true
  }

  onMessage(message: Uint8Array, isCompressed: boolean): void {
    // The time for the next one begins with its own first byte.
    this.#context.wheel.cancel(this.#receiving)
    if (!this.reserve(TURN_BYTES)) return this.#end(noRoomForRequest())
    const bytes = this.#arriving
    this.#arriving = 0
    if (!isCompressed) this.#open(bytes, () => message)
    else if (this.#stream.headers.get('grpc-encoding') === 'gzip') this.#inflate(bytes, message)
    else this.#end(undeclaredEncoding())
  }

  onFailure(failure: Failure): void {
    this.#end(failure)
  }

  /** @param message null = not known yet. */
  #open(bytes: number, message: () => Uint8Array | null): void {
    let job: Job | null = null
    this.#turns.open(bytes, () => {
      const known = job === null ? message() : null
      if (known !== null) job = this.#toJob(known, () => this.#deadlineAt - performance.now())
      return job
    })
  }

  #inflate(bytes: number, message: Uint8Array): void {
    const { payloadBytesMax, budget } = this.#context
    // Counted before it is there: inflating may take all of it.
    if (!budget.take(payloadBytesMax)) return this.#end(noRoomForRequest())
    this.#held += payloadBytesMax
    let inflated: Uint8Array | null = null
    this.#open(bytes + payloadBytesMax, () => inflated)
    void decompress(message, payloadBytesMax).then(
      (whole) => {
        inflated = whole
        this.#turns.advance()
        this.#update()
      },
      () => this.#end(malformedGzip(payloadBytesMax)),
    )
  }

  #write(message: Uint8Array): boolean {
    if (this.#out.write(message)) return true
    // A new one begins to wait; what waits for its caller does not wait for ever.
    if (this.#unread === 0)
      this.#context.wheel.schedule(this.#flushing, this.#context.limits.flushMs)
    this.#unread += message.length
    this.#hold(message.length)
    return false
  }

  #hold(bytes: number): void {
    this.#held += bytes
    this.#context.budget.add(bytes)
  }

  #release(bytes: number): void {
    this.#held -= bytes
    this.#context.budget.give(bytes)
    this.#update()
  }

  /** Whether more is read, how long it may take, and whether all is done. */
  #update(): void {
    if (this.#isOver) return
    if (this.#turns.size === 0) {
      if (this.#hasEnded) return this.#end(null)
      if (this.#isDraining) return this.#end(stopping())
    }
    const { wheel, limits } = this.#context
    const isFull = this.#isDraining || this.#unread > 0 || this.#turns.size >= TURNS_MAX
    if (isFull) this.#stream.pause()
    else if (this.#stream.isPaused) this.#stream.resume()
    // Only what the caller could send counts against it.
    const isArriving = this.#reader.isInsideFrame && !isFull
    if (!isArriving) wheel.cancel(this.#receiving)
    else if (this.#receiving.tick === 0) wheel.schedule(this.#receiving, limits.receiveMs)
  }

  /** @param failure null = OK. */
  #end(failure: Failure | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#reader.stop()
    this.#cancelTimers()
    this.#turns.abandon()
    this.#out.end(failure)
    if (!this.#stream.isClosed)
      this.#context.wheel.schedule(this.#flushing, this.#context.limits.flushMs)
  }

  #cancelTimers(): void {
    this.#context.wheel.cancel(this.#deadline)
    this.#context.wheel.cancel(this.#receiving)
  }
}

function expired(): Failure {
  return createFailure(
    'deadline-exceeded',
    'DEADLINE_EXCEEDED',
    'the deadline of the stream has passed; its requests that were not answered are cancelled',
  )
}

function stopping(): Failure {
  return createFailure('unavailable', 'STOPPING', 'the entrypoint is stopping: try again', {
    retryAfterMs: RETRY_AFTER_MS,
  })
}

function tooSlow(receiveMs: number): Failure {
  return createFailure(
    'deadline-exceeded',
    'REQUEST_TOO_SLOW',
    `a message of the stream did not arrive completely within ${receiveMs} ms`,
  )
}

function truncated(): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_FRAME',
    'the stream ends inside a message: its length prefix promises more bytes than were sent',
  )
}

function unknownEncoding(encoding: string): Failure {
  return createFailure(
    'unimplemented',
    'UNKNOWN_ENCODING',
    `message encoding "${encoding}" is not supported: use identity or gzip`,
  )
}

function undeclaredEncoding(): Failure {
  return createFailure(
    'internal',
    'UNDECLARED_ENCODING',
    'a message is flagged as compressed, but the stream has no grpc-encoding: declare gzip or send it plain',
  )
}

function malformedGzip(bytesMax: number): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_ENCODING',
    `a message is flagged as gzip and is not valid gzip, or has more than ${bytesMax} bytes inflated`,
  )
}
