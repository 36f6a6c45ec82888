/** A few calls by hand over `node:http2`, for what h2load does not see: the gRPC status of each, and its own time. */
import { type ClientHttp2Session, connect, constants } from 'node:http2'

export type ProbeResult = {
  status: number
  /** Until the end. */
  ms: number
  /** Until the first byte of an answer; as `ms` when there was none. */
  firstMs: number
  /** When it began, in the milliseconds of `performance.now()`. */
  beganMs: number
  /** The server has said when to come back (`retry-after-ms`). */
  hasRetryAfter: boolean
}

export type Probe = Disposable & {
  call(body: Uint8Array, deadlineMs: number): Promise<ProbeResult>
}

/** Status of a call that got none. */
const UNAVAILABLE = 14

/** Opens another connection when the server has asked it to: it does so with those that are half an hour old. */
export function openProbe(port: number, path: string): Probe {
  const open = () => {
    const opened = connect(`http://127.0.0.1:${port}`)
    opened.on('error', () => undefined) // its calls tell
    return opened
  }
  let session = open()
  return {
    call(body, deadlineMs) {
      if (session.closed || session.destroyed) session = open()
      return callOnce(session, path, body, deadlineMs)
    },
    [Symbol.dispose]: () => session.destroy(),
  }
}

function callOnce(
  session: ClientHttp2Session,
  path: string,
  body: Uint8Array,
  deadlineMs: number,
): Promise<ProbeResult> {
  const beganMs = performance.now()
  let status = UNAVAILABLE
  let firstMs: number | null = null
  let hasRetryAfter = false
  return new Promise((resolve) => {
    const end = () => {
      const ms = performance.now() - beganMs
      resolve({ status, ms, firstMs: firstMs ?? ms, beganMs, hasRetryAfter })
    }
    if (session.destroyed || session.closed) {
      end()
      return
    }
    const stream = session.request({
      ':method': constants.HTTP2_METHOD_POST,
      ':path': path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'grpc-timeout': `${deadlineMs}m`,
    })
    const read = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status'])
      hasRetryAfter ||= headers['retry-after-ms'] !== undefined
    }
    stream.on('response', read)
    stream.on('trailers', read)
    stream.once('data', () => (firstMs = performance.now() - beganMs))
    stream.on('error', () => undefined) // told by its status
    stream.on('close', end)
    stream.resume()
    stream.end(body)
  })
}
