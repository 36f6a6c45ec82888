/** The server's side of one gRPC call that takes one message: how it is read, answered and given up. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Limits } from '../limits.ts'
import { createWheelTimer, type TimerWheel } from '../requests/timer-wheel.ts'
import type { ByteBudget } from './byte-budget.ts'
import { deflateMessage, inflateMessage, isWorthCompressing } from './compression.ts'
import { createFailure, type Failure, failureHeaders, RETRY_AFTER_MS } from './failure.ts'
import { createFrameReader, encodeFrame, tooLarge } from './frame-reader.ts'

export type CallContext = {
  readonly limits: Limits
  readonly payloadBytesMax: number
  readonly budget: ByteBudget
  readonly wheel: TimerWheel
  /** Streams whose message is still arriving. */
  receiving: number
  /** A call ended before its message was complete. */
  readonly onRefused: () => void
}

export type UnaryCall = {
  readonly stream: ServerHttp2Stream
  readonly headers: IncomingHttpHeaders
  /** Called once when the caller goes away before the call was answered. */
  onGone: (() => void) | null
  answer(value: Uint8Array, requestId: string): void
  fail(failure: Failure, requestId: string): void
}

const OK_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': 'identity,gzip',
}
const OK_GZIP_HEADERS = { ...OK_HEADERS, 'grpc-encoding': 'gzip' }
const WITH_TRAILERS = { waitForTrailers: true }
const END_STREAM = { endStream: true }

/**
 * Reads exactly one message and hands it over with the call. Everything that is wrong with it ends the call here
 * with a status that says what; a caller that stalls is cut off after `receiveMs`.
 */
export function receiveUnary(
  context: CallContext,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  onMessage: (call: UnaryCall, message: Uint8Array) => void,
): void {
  const { limits, budget, wheel } = context
  let state: 'receiving' | 'waiting' | 'ended' = 'receiving'
  let held = 0
  let received: Uint8Array | null = null
  let isCompressed = false

  const timer = createWheelTimer(() => {
    if (state === 'receiving') call.fail(tooSlow(limits.receiveMs), '')
    // The answer was not read in time: the stream's memory is worth more than the caller.
    else stream.close(constants.NGHTTP2_CANCEL)
  })

  const leaveReceiving = (next: 'waiting' | 'ended') => {
    if (state === 'receiving') context.receiving--
    state = next
  }

  const write = (frame: Buffer, responseHeaders: typeof OK_HEADERS, requestId: string) => {
    if (stream.destroyed || stream.closed) return
    held += frame.length
    budget.add(frame.length)
    wheel.schedule(timer, limits.flushMs)
    stream.respond(responseHeaders, WITH_TRAILERS)
    stream.once('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0', 'request-id': requestId })
    })
    stream.end(frame)
  }

  const call: UnaryCall = {
    stream,
    headers,
    onGone: null,
    answer(value, requestId) {
      call.onGone = null
      leaveReceiving('ended')
      const acceptsGzip = headers['grpc-accept-encoding']?.includes('gzip') ?? false
      if (!acceptsGzip || !isWorthCompressing(value)) {
        write(encodeFrame(value), OK_HEADERS, requestId)
        return
      }
      deflateMessage(value, (deflated) => {
        if (deflated === null) write(encodeFrame(value), OK_HEADERS, requestId)
        else write(encodeFrame(deflated, true), OK_GZIP_HEADERS, requestId)
      })
    },
    fail(failure, requestId) {
      call.onGone = null
      reader.stop()
      if (state === 'receiving') context.onRefused()
      leaveReceiving('ended')
      if (stream.destroyed || stream.closed) return
      wheel.schedule(timer, limits.flushMs)
      stream.respond(failureHeaders(failure, requestId), END_STREAM)
      // The caller need not finish a request that has its answer (RFC 9113, 8.1).
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR)
    },
  }

  const reader = createFrameReader({
    bytesMax: context.payloadBytesMax,
    reserve(bytes) {
      if (!budget.take(bytes)) return false
      held += bytes
      return true
    },
    onMessage(message, compressed) {
      if (received !== null) {
        call.fail(wrongCount('more than one message'), '')
        return
      }
      received = message
      isCompressed = compressed
    },
    onFailure: (failure) => call.fail(failure, ''),
  })

  const accept = (message: Uint8Array) => {
    leaveReceiving('waiting')
    wheel.cancel(timer)
    onMessage(call, message)
  }

  const inflate = (message: Uint8Array) => {
    // Counted before it is there: inflating may take all of it.
    if (!budget.take(context.payloadBytesMax)) {
      call.fail(noRoomToInflate(), '')
      return
    }
    held += context.payloadBytesMax
    inflateMessage(message, context.payloadBytesMax, (result) => {
      if (stream.destroyed || state === 'ended') return
      if (typeof result !== 'string') {
        const unused = context.payloadBytesMax - result.length
        held -= unused
        budget.give(unused)
        accept(result)
      } else if (result === 'too-large') {
        call.fail(tooLarge('more (inflated)', context.payloadBytesMax), '')
      } else {
        call.fail(malformedGzip(), '')
      }
    })
  }

  stream.on('error', ignoreStreamError)
  stream.on('close', () => {
    leaveReceiving('ended')
    wheel.cancel(timer)
    reader.stop()
    budget.give(held)
    held = 0
    const gone = call.onGone
    call.onGone = null
    gone?.()
  })
  context.receiving++
  const refusal = refusalOf(headers, context)
  if (refusal !== null) {
    call.fail(refusal, '')
    return
  }
  wheel.schedule(timer, limits.receiveMs)
  stream.on('data', (chunk: Buffer) => reader.push(chunk))
  stream.on('end', () => {
    if (state !== 'receiving' || stream.aborted) return
    if (reader.isInsideFrame()) call.fail(truncated(), '')
    else if (received === null) call.fail(wrongCount('no message'), '')
    else if (!isCompressed) accept(received)
    else if (headers['grpc-encoding'] === 'gzip') inflate(received)
    else call.fail(undeclaredEncoding(), '')
  })
}

/** A stream's errors are its peer's affair; `close`, which follows, does what is to be done. */
export function ignoreStreamError(): void {}

function refusalOf(headers: IncomingHttpHeaders, context: CallContext): Failure | null {
  const encoding = headers['grpc-encoding'] ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    return createFailure(
      'unimplemented',
      'UNKNOWN_ENCODING',
      `message encoding "${String(encoding)}" is not supported: use identity or gzip`,
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

function noRoomToInflate(): Failure {
  return createFailure(
    'resource-exhausted',
    'BYTES_IN_FLIGHT',
    'the entrypoint holds as many request bytes as it may: try again',
    { retryAfterMs: RETRY_AFTER_MS },
  )
}
