/** HTTP/1.1 connections, parsed by `node:http`, which never listens itself: it is given sockets. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { GRPC_STATUS } from '@kre/contracts/runtime'
import type { DoorExchange } from '../doors/door-port.ts'
import type { Limits } from '../limits.ts'
import { openHttp1Exchange } from './http1-exchange.ts'
import type { Peer } from './peer.ts'

export type Http1Server = {
  /** @param socket with nothing read of it; `onClose` is called once, when it is gone. */
  accept(socket: Socket, onClose: () => void): Peer
}

type Connection = {
  readonly openedAt: number
  /** Requests without a complete answer. */
  active: number
  isClosing: boolean
  /** The client has said that it sends nothing any more. */
  isHalfClosed: boolean
  /** The last answer's end, or the opening. */
  idleSince: number
  /** Bytes read by then: more mean that a request is on its way. */
  idleBytes: number
  /** When a request was first seen to be on its way; 0 = none is. */
  arrivingSince: number
  /** When the last request, or its body, was there. */
  requestAt: number
}

/** Requests that one client may send without waiting for answers. */
const PIPELINED_MAX = 64
const CLIENT_ERROR_STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
}

/** The client has gone, in the middle of a request or not. */
const GONE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])

export function createHttp1Server(
  limits: Limits,
  onExchange: (exchange: DoorExchange) => void,
  onRefused: (reason: string) => void,
): Http1Server {
  const connections = new Map<Socket, Connection>()
  const serve = (message: IncomingMessage, response: ServerResponse) => {
    const { socket } = message
    const connection = connections.get(socket)
    if (connection === undefined) return
    connection.requestAt = performance.now()
    message.once('end', () => (connection.requestAt = performance.now()))
    connection.arrivingSince = 0
    if (++connection.active > PIPELINED_MAX) {
      onRefused('TOO_MANY_PIPELINED')
      socket.destroy()
      return
    }
    response.on('close', () => {
      connection.active--
      connection.idleSince = performance.now()
      connection.idleBytes = socket.bytesRead
      const isOver = connection.isClosing || connection.isHalfClosed
      if (isOver && connection.active === 0) socket.destroySoon()
    })
    const isLast = () =>
      connection.isClosing || (connection.isHalfClosed && connection.active === 1)
    onExchange(openHttp1Exchange(message, response, isLast))
  }

  // Times are kept by `guard`, as the server's own only run while it listens.
  const server = createServer({
    maxHeaderSize: limits.headerListBytesMax,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    noDelay: true,
  })
  // What `net` calls `allowHalfOpen`: the end of what a client sends is not the end of what it reads.
  ;(server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true
  server.on('request', serve)
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
    // Whoever asks first need not send what is too large in any case.
    if (isSmallEnough(message, limits)) sendContinue(response)
    serve(message, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const connection = connections.get(socket)
    if (!GONE.has(error.code ?? '')) onRefused('BAD_HTTP1')
    if (connection === undefined || connection.active > 0 || !socket.writable) socket.destroy()
    else socket.end(badRequest(error))
  })

  return {
    accept(socket, onClose) {
      const now = performance.now()
      const connection: Connection = {
        openedAt: now,
        active: 0,
        isClosing: false,
        isHalfClosed: false,
        idleSince: now,
        idleBytes: 0,
        arrivingSince: now,
        requestAt: now,
      }
      connections.set(socket, connection)
      socket.on('close', () => {
        connections.delete(socket)
        onClose()
      })
      socket.allowHalfOpen = true
      socket.on('end', () => {
        if (connection.active === 0) return
        connection.isHalfClosed = true
        if (performance.now() - connection.requestAt > limits.halfCloseMs) socket.destroy()
      })
      server.emit('connection', socket)
      const close = () => {
        connection.isClosing = true
        if (connection.active === 0) socket.destroySoon()
      }
      return {
        guard(at) {
          if (at - connection.openedAt > limits.ageMs) close()
          if (connection.active > 0) return
          if (connection.arrivingSince === 0 && socket.bytesRead > connection.idleBytes)
            connection.arrivingSince = at
          const isSlow =
            connection.arrivingSince !== 0 && at - connection.arrivingSince > limits.handshakeMs
          if (isSlow) onRefused('REQUEST_TOO_SLOW')
          if (isSlow || at - connection.idleSince > limits.idleMs) socket.destroy()
        },
        close,
        terminate: () => void socket.destroy(),
      }
    },
  }
}

function sendContinue(response: ServerResponse): void {
  if (response.socket !== null) return response.writeContinue()
  // Behind other answers, `node:http` would put it into the middle of this one.
  response.once('socket', () => {
    if (!response.headersSent) response.writeContinue()
  })
}

/** No door takes a body of more than `bytesMax`, the share of all. */
function isSmallEnough(message: IncomingMessage, limits: Limits): boolean {
  return Number(message.headers['content-length'] ?? 0) <= limits.bytesMax
}

/** For what never became a request, so that no door could answer it. */
function badRequest(error: NodeJS.ErrnoException): string {
  const status = CLIENT_ERROR_STATUS[error.code ?? ''] ?? '400 Bad Request'
  const body = JSON.stringify({
    code: GRPC_STATUS['invalid-argument'],
    message: `the request is not valid HTTP/1.1: ${error.message}`,
    details: [],
  })
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
}
