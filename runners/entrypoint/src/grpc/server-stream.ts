/** The answering side of a call that sends any number of messages. */
import type { Http2Stream } from '../http2/http2-stream.ts'
import { type Failure, failureHeaders, failureTrailers } from './failure.ts'
import { encodeFrame } from './frame-reader.ts'
import { okTrailers, STREAM_HEADERS } from './ok-response.ts'

export type ServerStream = {
  /** False: the caller reads too slowly, wait for the stream's `onDrain`. */
  write(message: Uint8Array): boolean
  /** Null: OK. */
  end(failure: Failure | null): void
}

/** Sends the response's headers at once. */
export function openServerStream(stream: Http2Stream): ServerStream {
  stream.respond(STREAM_HEADERS)
  return {
    write: (message) => stream.write(encodeFrame(message)),
    end: (failure) => stream.end(failure === null ? okTrailers('') : failureTrailers(failure, '')),
  }
}

/** Ends a call that was never begun, without reading what its caller still sends. */
export function refuseStream(stream: Http2Stream, failure: Failure): void {
  stream.respond(failureHeaders(failure, ''), true)
}
