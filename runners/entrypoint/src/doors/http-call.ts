/** The server's side of one HTTP request: how it is read, answered and given up; the twin of UnaryCall. */
import { unzip } from 'node:zlib'
import { createFailure, type Failure, RETRY_AFTER_MS, noRoomForRequest } from '../grpc/failure.ts'
import { tooLarge } from '../grpc/frame-reader.ts'
import type { CallContext } from '../grpc/unary-call.ts'
import type { RequestHeaders } from '../http2/request-headers.ts'
import { createWheelTimer, type WheelTimer } from '../requests/timer-wheel.ts'
import type { DoorExchange, HeaderFields } from './door-port.ts'
import type { RenderFailure } from './status-json.ts'

type OnBody = (body: Buffer) => void

/** The first room for a body that does not come at once. */
const FIRST_BYTES = 4096
const EMPTY = Buffer.alloc(0)

export class HttpCall {
  readonly headers: RequestHeaders
  /** Called once when the caller goes away before the call was answered. */
  onGone: (() => void) | null = null
  /** What was written and had to wait for the caller is on its way. */
  onDrain: (() => void) | null = null
  readonly #exchange: DoorExchange
  readonly #context: CallContext
  readonly #renderFailure: RenderFailure
  /** Sent with every answer. */
  readonly #fields: HeaderFields
  readonly #timer: WheelTimer
  #state: 'new' | 'receiving' | 'waiting' | 'ended' = 'new'
  /** Bytes taken of the budget. */
  #held = 0
  /** Of these, how many were written and wait for the caller. */
  #unread = 0
  #body: Buffer = EMPTY
  #received = 0

  constructor(
    exchange: DoorExchange,
    context: CallContext,
    renderFailure: RenderFailure,
    fields: HeaderFields,
  ) {
    this.headers = exchange.request.headers
    this.#exchange = exchange
    this.#context = context
    this.#renderFailure = renderFailure
    this.#fields = fields
    this.#timer = createWheelTimer(() => this.#onTimer())
    exchange.response.onClose = () => this.#onClose()
    exchange.response.onDrain = () => this.#onDrain()
  }

  /** Reads the whole body and hands it over; what is wrong with it ends the call here. */
  receive(bytesMax: number, take: OnBody): void {
    const { limits, wheel } = this.#context
    const refusal = refusalOf(this.headers, this.#context, bytesMax)
    if (refusal !== null) return this.refuse(refusal)
    this.#state = 'receiving'
    this.#context.receiving++
    wheel.schedule(this.#timer, limits.receiveMs)
    this.#exchange.request.receive({
      onData: (chunk) => this.#onData(chunk, bytesMax),
      onEnd: () => this.#onEnd(bytesMax, take),
    })
  }

  /** The whole answer at once. */
  reply(status: number, fields: HeaderFields, body: Uint8Array): void {
    this.begin(status, [...fields, ['content-length', String(body.length)]])
    if (body.length > 0) this.write(body)
    this.end()
  }

  begin(status: number, fields: HeaderFields): void {
    this.#leave('waiting')
    this.#exchange.response.head(status, [...fields, ...this.#fields])
  }

  /** False when the caller reads too slowly: wait for `onDrain`. */
  write(bytes: Uint8Array): boolean {
    const { response } = this.#exchange
    if (response.isClosed || response.write(bytes)) return true
    this.#unread += bytes.length
    this.#held += bytes.length
    this.#context.budget.add(bytes.length)
    return false
  }

  end(): void {
    const { response } = this.#exchange
    this.onGone = null
    this.#leave('ended')
    if (response.isClosed) return
    // What waits for its caller does not wait for ever.
    this.#context.wheel.schedule(this.#timer, this.#context.limits.flushMs)
    response.end()
  }

  fail(failure: Failure, requestId: string): void {
    const { status, fields, body } = this.#renderFailure(failure, requestId)
    this.reply(status, fields, body)
  }

  /** Fails a call that never became a request. */
  refuse(failure: Failure, more: HeaderFields = []): void {
    this.#context.onRefused(failure.reason)
    this.#leave('waiting')
    const { status, fields, body } = this.#renderFailure(failure, '')
    this.reply(status, [...fields, ...more], body)
  }

  #onData(chunk: Buffer, bytesMax: number): void {
    if (this.#state !== 'receiving') return
    const wanted = this.#received + chunk.length
    if (wanted > bytesMax) return this.refuse(tooLarge('more', bytesMax))
    const room = this.#body.length
    if (wanted > room) {
      // What is announced is not believed: room grows with what has come.
      const larger = Math.min(bytesMax, Math.max(wanted, room * 2, FIRST_BYTES))
      if (!this.#reserve(larger - room)) return this.refuse(noRoomForRequest())
      const before = this.#body
      this.#body = Buffer.allocUnsafe(larger)
      this.#body.set(before.subarray(0, this.#received))
    }
    this.#body.set(chunk, this.#received)
    this.#received = wanted
  }

  #onEnd(bytesMax: number, take: OnBody): void {
    if (this.#state !== 'receiving') return
    const body = this.#body.subarray(0, this.#received)
    this.#leave('waiting')
    const encoding = this.headers.get('content-encoding') ?? 'identity'
    if (encoding === 'identity' || body.length === 0) take(body)
    else this.#inflate(body, bytesMax, take)
  }

  #inflate(body: Buffer, bytesMax: number, take: OnBody): void {
    const { budget } = this.#context
    // Counted before it is there, as inflating may take all of it; and by itself, as it goes on when the caller has gone.
    if (!budget.take(bytesMax)) return this.refuse(noRoomForRequest())
    unzip(body, { maxOutputLength: bytesMax }, (error, inflated) => {
      budget.give(bytesMax)
      if (this.#state === 'ended' || this.#exchange.response.isClosed) return
      if (error === null) {
        this.#held += inflated.length
        budget.add(inflated.length)
        take(inflated)
      } else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        this.refuse(tooLarge('more (inflated)', bytesMax))
      else this.refuse(badEncoding())
    })
  }

  #onDrain(): void {
    this.#context.budget.give(this.#unread)
    this.#held -= this.#unread
    this.#unread = 0
    this.onDrain?.()
  }

  #reserve(bytes: number): boolean {
    if (!this.#context.budget.take(bytes)) return false
    this.#held += bytes
    return true
  }

  #onTimer(): void {
    if (this.#state === 'receiving') this.refuse(tooSlow(this.#context.limits.receiveMs))
    // The answer was not read in time: its memory is worth more than the caller.
    else this.#exchange.response.destroy()
  }

  #leave(next: 'waiting' | 'ended'): void {
    if (this.#state === 'receiving') {
      this.#context.receiving--
      this.#context.wheel.cancel(this.#timer)
      this.#body = EMPTY
    }
    this.#state = next
  }

  #onClose(): void {
    // Refused, too, if it went away before it was complete.
    if (this.#state === 'receiving') this.#context.onRefused('CANCELLED')
    this.#leave('ended')
    this.#context.wheel.cancel(this.#timer)
    this.#context.budget.give(this.#held)
    this.#held = 0
    this.#unread = 0
    const gone = this.onGone
    this.onGone = null
    gone?.()
  }
}

function refusalOf(
  headers: RequestHeaders,
  context: CallContext,
  bytesMax: number,
): Failure | null {
  const length = Number(headers.get('content-length') ?? 0)
  if (length > bytesMax) return tooLarge(length, bytesMax)
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (!['identity', 'gzip', 'deflate'].includes(encoding))
    return createFailure(
      'invalid-argument',
      'UNSUPPORTED_MEDIA_TYPE',
      `content-encoding "${encoding}" is not supported: use gzip, deflate or none`,
    )
  if (context.receiving < context.limits.receivingMax) return null
  return createFailure(
    'resource-exhausted',
    'TOO_MANY_STREAMS',
    `more than ${context.limits.receivingMax} requests are arriving at once: try again`,
    { retryAfterMs: RETRY_AFTER_MS },
  )
}

function tooSlow(receiveMs: number): Failure {
  return createFailure(
    'deadline-exceeded',
    'REQUEST_TOO_SLOW',
    `the request did not arrive completely within ${receiveMs} ms`,
  )
}

function badEncoding(): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_ENCODING',
    'the body is not in the encoding that content-encoding names',
  )
}
