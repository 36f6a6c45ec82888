/** gRPC-Web (grpc/doc/PROTOCOL-WEB.md): gRPC for browsers, with the trailers in the body. */
import { createFailure, failureFields, type Failure } from '../grpc/failure.ts'
import { encodeFrame, FrameReader } from '../grpc/frame-reader.ts'
import type { RequestHeaders } from '../http2/request-headers.ts'
import type { Caller } from '../requests/pending-request.ts'
import { decodeBase64Pieces } from './base64-pieces.ts'
import { callerHeaders } from './caller-headers.ts'
import type { HttpCall } from './http-call.ts'
import { type RenderFailure, renderStatus } from './status-json.ts'

/** Who serves a unary rpc, wherever it comes from. */
export type UnaryTarget = (caller: Caller, headers: RequestHeaders, message: Uint8Array) => void

const WEB_TYPE = /^application\/grpc-web(-text)?(?:\+proto)?\s*(?:;|$)/i
const TRAILERS_FLAG = 0x80
/** Bytes in front of a message. */
const PREFIX_BYTES = 5

export function isGrpcWeb(headers: RequestHeaders): boolean {
  return WEB_TYPE.test(headers.get('content-type') ?? '')
}

/** @param headers of a gRPC-Web request. */
export function renderWebFailure(headers: RequestHeaders): RenderFailure {
  return (failure, requestId) =>
    // What HTTP itself refuses, proxies should understand; the rest is gRPC's own, as a 200.
    failure.reason === 'METHOD_NOT_ALLOWED'
      ? renderStatus(failure, requestId)
      : {
          status: 200,
          fields: responseFields(headers),
          body: encodeBody(headers, trailersFrame(failureFields(failure, requestId))),
        }
}

export function serveWeb(
  call: HttpCall,
  messageBytesMax: number,
  find: () => UnaryTarget | Failure,
): void {
  const { headers } = call
  if (headers.method !== 'POST') {
    const text = `gRPC-Web is called by POST, not by ${headers.method}`
    return call.refuse(createFailure('unimplemented', 'METHOD_NOT_ALLOWED', text), [
      ['allow', 'POST'],
    ])
  }
  const target = find()
  if (typeof target !== 'function') return call.refuse(target)
  const bytesMax = messageBytesMax + PREFIX_BYTES
  call.receive(isText(headers) ? Math.ceil(bytesMax / 3) * 4 + 4 : bytesMax, (body) => {
    const message = readMessage(headers, body, messageBytesMax)
    if (!(message instanceof Uint8Array)) return call.refuse(message)
    const passed = callerHeaders(headers)
    if ('reason' in passed) return call.refuse(passed)
    target(createWebCaller(call), passed, message)
  })
}

function createWebCaller(call: HttpCall): Caller {
  const { headers } = call
  let isOpen = false
  const open = () => {
    if (!isOpen) call.begin(200, responseFields(headers))
    isOpen = true
  }
  /** Ends a stream that was begun. */
  const finish = (fields: readonly (readonly [string, string])[]) => {
    call.write(encodeBody(headers, trailersFrame(fields)))
    call.end()
  }
  const caller: Caller = {
    onGone: null,
    onRoom: null,
    fail(failure, requestId) {
      if (isOpen) finish(failureFields(failure, requestId))
      else call.fail(failure, requestId)
    },
    write(value) {
      open()
      // In base64 each piece is padded by itself.
      return call.write(encodeBody(headers, encodeFrame(value)))
    },
    end(requestId) {
      open()
      finish(okFields(requestId))
    },
    answer(value, requestId) {
      const trailers = trailersFrame(okFields(requestId))
      const body = encodeBody(headers, Buffer.concat([encodeFrame(value), trailers]))
      call.reply(200, responseFields(headers), body)
    },
  }
  call.onGone = () => caller.onGone?.()
  call.onDrain = () => caller.onRoom?.()
  return caller
}

function okFields(requestId: string): [string, string][] {
  return requestId === ''
    ? [['grpc-status', '0']]
    : [
        ['grpc-status', '0'],
        ['request-id', requestId],
      ]
}

function isText(headers: RequestHeaders): boolean {
  return WEB_TYPE.exec(headers.get('content-type') ?? '')?.[1] !== undefined
}

function responseFields(headers: RequestHeaders): [string, string][] {
  const type = isText(headers) ? 'application/grpc-web-text+proto' : 'application/grpc-web+proto'
  return [['content-type', type]]
}

function encodeBody(headers: RequestHeaders, bytes: Buffer): Buffer {
  return isText(headers) ? Buffer.from(bytes.toString('base64')) : bytes
}

function trailersFrame(fields: readonly (readonly [string, string])[]): Buffer {
  const text = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const frame = encodeFrame(Buffer.from(text, 'latin1'))
  frame[0] = TRAILERS_FLAG
  return frame
}

/** The one message of a body. */
function readMessage(
  headers: RequestHeaders,
  body: Buffer,
  bytesMax: number,
): Uint8Array | Failure {
  const bytes = isText(headers) ? decodeBase64Pieces(body) : body
  if (bytes === null) return badFrame('is not base64, as application/grpc-web-text says')
  let result: Uint8Array | Failure | null = null
  const reader = new FrameReader(bytesMax, {
    // The body is counted already.
    reserve: () => true,
    onFailure: (failure) => void (result = failure),
    onMessage(message, isCompressed) {
      if (result !== null) result = badFrame('has more than one message')
      else result = isCompressed ? compressed() : message
    },
  })
  reader.push(bytes)
  const read = result as Uint8Array | Failure | null
  if (reader.isInsideFrame) return badFrame('ends inside a message')
  return read ?? badFrame('has no message')
}

function badFrame(what: string): Failure {
  const text = `a unary rpc takes exactly one length-prefixed message, and the body ${what}`
  return createFailure('invalid-argument', 'BAD_FRAME', text)
}

function compressed(): Failure {
  return createFailure(
    'unimplemented',
    'UNKNOWN_ENCODING',
    'compressed messages are not taken by gRPC-Web: send them plain, or compress the body (content-encoding)',
  )
}
