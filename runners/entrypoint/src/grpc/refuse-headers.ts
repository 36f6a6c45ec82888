/** Answers a request whose headers are over the limit, in the words of its protocol; its connection goes on. */
import { renderStatus } from '../doors/status-json.ts'
import { encodeHeaders } from '../http2/hpack-encoder.ts'
import type { Http2Stream } from '../http2/http2-stream.ts'
import { createFailure } from './failure.ts'
import { refuseStream } from './server-stream.ts'

/** @param listBytes size of its header list, counted as HPACK does: 32 bytes per field are added. */
export function refuseHeaders(stream: Http2Stream, listBytes: number, listBytesMax: number): void {
  const failure = createFailure(
    'resource-exhausted',
    'HEADERS_TOO_LARGE',
    `the request's headers take ${listBytes} bytes (32 for each field included) and the limit is ${listBytesMax}: send less metadata`,
  )
  // gRPC clients do not look into an answer whose HTTP status is not 200.
  if (/^application\/grpc(?!-web)/i.test(stream.headers.get('content-type') ?? '')) {
    refuseStream(stream, failure)
    return
  }
  const { status, fields, body } = renderStatus(failure, '')
  stream.respond(encodeHeaders([[':status', String(status)], ...fields]))
  stream.write(body)
  stream.end(null)
}
