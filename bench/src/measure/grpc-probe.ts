/** A few calls by hand over `node:http2`, for what h2load does not see: the gRPC status of each, and its own time. */
import { connect, constants } from 'node:http2'

export type ProbeResult = { status: number; ms: number }

export type Probe = Disposable & {
  call(body: Uint8Array, deadlineMs: number): Promise<ProbeResult>
}

/** Status of a call that got none. */
const UNAVAILABLE = 14

export function openProbe(port: number, path: string): Probe {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined) // its calls tell
  return {
    call: (body, deadlineMs) =>
      new Promise((resolve) => {
        const began = performance.now()
        const end = (status: number) => resolve({ status, ms: performance.now() - began })
        if (session.destroyed || session.closed) {
          end(UNAVAILABLE)
          return
        }
        const stream = session.request({
          ':method': constants.HTTP2_METHOD_POST,
          ':path': path,
          'content-type': 'application/grpc+proto',
          te: 'trailers',
          'grpc-timeout': `${deadlineMs}m`,
        })
        let status = UNAVAILABLE
        const read = (headers: Record<string, unknown>) => {
          if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status'])
        }
        stream.on('response', read)
        stream.on('trailers', read)
        stream.on('error', () => undefined) // told by its status
        stream.on('close', () => end(status))
        stream.resume()
        stream.end(body)
      }),
    [Symbol.dispose]: () => session.destroy(),
  }
}
