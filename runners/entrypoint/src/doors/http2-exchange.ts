import { encodeHeaders } from '../http2/hpack-encoder.ts'
import type { Http2Stream } from '../http2/http2-stream.ts'
import { H2_ERROR } from '../http2/protocol.ts'
import type { BodyReceiver, DoorExchange, DoorResponse } from './door-port.ts'

/** A stream of the HTTP/2 core as one request and its response. */
export function openHttp2Exchange(stream: Http2Stream): DoorExchange {
  const { headers } = stream
  // A response to HEAD has no body, whatever it announces (RFC 9110, 9.3.2).
  const hasBody = headers.method !== 'HEAD'
  let receiver: BodyReceiver | null = null
  const response: DoorResponse = {
    get isClosed() {
      return stream.isClosed
    },
    onClose() {},
    onDrain() {},
    head: (status, fields) =>
      stream.respond(encodeHeaders([[':status', String(status)], ...fields])),
    write: (bytes) => !hasBody || stream.write(bytes),
    end: () => stream.end(null),
    destroy: () => stream.reset(H2_ERROR.cancel),
  }
  stream.handler = {
    onData: (chunk) => receiver?.onData(chunk),
    onEnd: () => receiver?.onEnd(),
    onClose: () => response.onClose(),
    onDrain: () => response.onDrain(),
  }
  return { request: { headers, receive: (to) => void (receiver = to) }, response }
}
