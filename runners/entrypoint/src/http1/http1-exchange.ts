import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DoorExchange, DoorResponse } from '../doors/door-port.ts'
import { RequestHeaders } from '../http2/request-headers.ts'

/** Time for a client to notice that it is answered before it has sent everything, in ms. */
const LINGER_MS = 1_000

/**
 * A request of `node:http` and its response.
 *
 * @param isLast asked when the response begins: whether the connection is to end with it.
 */
export function openHttp1Exchange(
  message: IncomingMessage,
  server: ServerResponse,
  isLast: () => boolean,
): DoorExchange {
  const isRead = () => message.complete || !announcesBody(message)
  const response: DoorResponse = {
    get isClosed() {
      return server.destroyed || server.writableEnded
    },
    onClose() {},
    onDrain() {},
    head(status, fields) {
      if (server.headersSent) return
      // An unread body would have to be read to get to the next request.
      const ends = isLast() || !isRead()
      const all = ends ? [...fields, ['connection', 'close'] as const] : fields
      server.writeHead(status, all.flat())
    },
    // What waits behind another answer of its connection is kept here, however little it is.
    write: (bytes) => server.write(bytes) && server.socket !== null,
    end() {
      if (isRead()) server.end()
      else endGently(message, server)
    },
    destroy: () => void server.destroy(),
  }
  /** The answers before it are sent, and what it has written by now is with the socket. */
  const onTurn = () => {
    if (!server.writableEnded && !server.writableNeedDrain) response.onDrain()
  }
  server.on('close', () => response.onClose())
  server.on('drain', () => response.onDrain())
  server.on('socket', () => process.nextTick(onTurn))
  // The end of the connection is reported by the response.
  server.on('error', () => undefined)
  message.on('error', () => undefined)
  return {
    request: {
      headers: toRequestHeaders(message),
      receive(receiver) {
        message.on('data', (chunk: Buffer) => receiver.onData(chunk))
        message.on('end', () => receiver.onEnd())
      },
    },
    response,
  }
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Closing on a client that is still sending would reset the connection, and the answer with it. */
function endGently(message: IncomingMessage, server: ServerResponse): void {
  const end = () => {
    clearTimeout(timer)
    server.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  message.removeAllListeners('data')
  message.once('end', end)
  server.once('close', () => clearTimeout(timer))
  message.resume()
}

function toRequestHeaders(message: IncomingMessage): RequestHeaders {
  const headers = new RequestHeaders()
  headers.method = message.method ?? ''
  headers.scheme = 'http'
  headers.path = originForm(message.url ?? '/')
  headers.authority = message.headers.host ?? ''
  const { rawHeaders } = message
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    headers.pairs.push((rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? '')
  return headers
}

/** A client that takes this server for a proxy writes the whole address (RFC 9112, 3.2.2). */
function originForm(target: string): string {
  return target.replace(/^[a-z]+:\/\/[^/?]*(?=[/?]|$)/i, '') || '/'
}
