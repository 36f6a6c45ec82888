/** A gRPC client that can do wrong: plain HTTP/2 streams and bytes. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2'
import { once } from 'node:events'

export type RawResponse = {
  /** gRPC status; -1 when there was none. */
  status: number
  message: string
  httpStatus: number
  /** Headers and trailers together. */
  metadata: IncomingHttpHeaders
  /** The body, prefix included. */
  body: Buffer
  /** Payload of the first frame. */
  payload: Buffer
  rstCode: number
}

export type RawClient = AsyncDisposable & {
  readonly session: ClientHttp2Session
  open(path: string, headers?: Record<string, string>): ClientHttp2Stream
  call(
    path: string,
    body: Uint8Array | null,
    headers?: Record<string, string>,
  ): Promise<RawResponse>
}

export async function connectRaw(address: string): Promise<RawClient> {
  const session = connect(`http://${address}`)
  session.on('error', () => undefined)
  await once(session, 'connect')
  const open: RawClient['open'] = (path, headers = {}) =>
    session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
  return {
    session,
    open,
    call(path, body, headers) {
      const stream = open(path, headers)
      const response = readResponse(stream)
      if (body === null) stream.end()
      else stream.end(body)
      return response
    },
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return
      const closed = once(session, 'close')
      session.destroy()
      await closed
    },
  }
}

/** Resolves when the stream is over, however it ends. */
export function readResponse(stream: ClientHttp2Stream): Promise<RawResponse> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let metadata: IncomingHttpHeaders = {}
    let httpStatus = 0
    stream.on('response', (headers) => {
      httpStatus = Number(headers[':status'])
      metadata = { ...metadata, ...headers }
    })
    stream.on('trailers', (trailers) => {
      metadata = { ...metadata, ...trailers }
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      const body = Buffer.concat(chunks)
      resolve({
        status: Number(metadata['grpc-status'] ?? -1),
        message: decodeURIComponent(String(metadata['grpc-message'] ?? '')),
        httpStatus,
        metadata,
        body,
        payload: body.subarray(5),
        rstCode: stream.rstCode ?? 0,
      })
    })
  })
}

/** Length-prefixed message. */
export function frame(payload: Uint8Array | string, flag = 0): Buffer {
  const bytes = Buffer.from(payload)
  const prefix = Buffer.alloc(5)
  prefix[0] = flag
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}
