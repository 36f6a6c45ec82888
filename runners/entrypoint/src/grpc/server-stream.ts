/** The answering side of a call that sends any number of messages. */
import { constants, type ServerHttp2Stream } from 'node:http2'
import { type Failure, failureHeaders, failureTrailers } from './failure.ts'
import { encodeFrame } from './frame-reader.ts'
import { ignoreStreamError } from './unary-call.ts'

export type ServerStream = {
  /** False: the caller reads too slowly, wait for `stream`'s `drain`. */
  write(message: Uint8Array): boolean
  /** Null: OK. */
  end(failure: Failure | null): void
}

/** Sends the response's headers at once. */
export function openServerStream(stream: ServerHttp2Stream): ServerStream {
  let trailers = failureTrailersOf(null)
  const isOpen = () => !stream.destroyed && !stream.closed && !stream.writableEnded
  if (isOpen()) {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    )
    stream.once('wantTrailers', () => stream.sendTrailers(trailers))
  }
  return {
    write: (message) => !isOpen() || stream.write(encodeFrame(message)),
    end(failure) {
      if (!isOpen()) return
      trailers = failureTrailersOf(failure)
      stream.end()
    },
  }
}

/** Ends a call that was never begun, without reading what its caller still sends. */
export function refuseStream(stream: ServerHttp2Stream, failure: Failure): void {
  stream.on('error', ignoreStreamError)
  if (stream.destroyed || stream.closed) return
  stream.respond(failureHeaders(failure, ''), { endStream: true })
  stream.close(constants.NGHTTP2_NO_ERROR)
}

function failureTrailersOf(failure: Failure | null) {
  return failure === null ? { 'grpc-status': '0' } : failureTrailers(failure, '')
}
