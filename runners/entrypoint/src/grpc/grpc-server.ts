import { type AddressInfo, createServer, type Socket } from 'node:net'
import { KreError } from '@kre/contracts/runtime'
import type { DoorExchange } from '../doors/door-port.ts'
import type { Http1Server } from '../http1/http1-server.ts'
import type { Peer } from '../http1/peer.ts'
import { type Protocol, sniffProtocol } from '../http1/sniff-protocol.ts'
import type { Http2Stream } from '../http2/http2-stream.ts'
import { H2_ERROR } from '../http2/protocol.ts'
import { ServerConnection } from '../http2/server-connection.ts'
import type { Limits } from '../limits.ts'
import { guardConnection } from './connection-guard.ts'
import { refuseHeaders } from './refuse-headers.ts'

export type GrpcServer = {
  /** `host:port` */
  readonly address: string
  readonly port: number
  connections(): number
  /** Takes no new connections and tells the existing ones to go elsewhere; calls that run go on. */
  drain(): void
  /** Ends every connection. */
  close(): void
}

export type ServerOptions = {
  host: string
  port: number
  limits: Limits
  /** A request over HTTP/2. */
  onStream: (stream: Http2Stream) => void
  /** A request over HTTP/1. */
  onExchange: (exchange: DoorExchange) => void
  /** A connection was turned away. @param reason of a closed set. */
  onRefused: (reason: string) => void
}

/**
 * Serves HTTP/2 and HTTP/1.1 on one port.
 *
 * @throws KreError `failed-precondition` when the address can't be listened on.
 */
export async function listenGrpc(options: ServerOptions): Promise<GrpcServer> {
  const { host, limits } = options
  const peers = new Map<Socket, Peer>()
  const serveHttp2 = http2Servant(options)
  const serveHttp1 = http1Servant(options)
  let isDraining = false

  const server = createServer((socket) => {
    const forget = () => void peers.delete(socket)
    const onKnown = (protocol: Protocol) => {
      const serve = protocol === 'http2' ? serveHttp2 : serveHttp1
      const peer = serve(socket, forget)
      peers.set(socket, peer)
      if (isDraining) peer.close()
    }
    const peer = sniffProtocol(socket, {
      waitMs: limits.handshakeMs,
      onKnown,
      onTooSlow: () => options.onRefused('HANDSHAKE_TOO_SLOW'),
      onClose: forget,
    })
    peers.set(socket, peer)
    if (isDraining) peer.close()
  })
  server.maxConnections = limits.connectionsMax
  server.on('drop', () => options.onRefused('TOO_MANY_CONNECTIONS'))

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, options.port, error)))
    // Two processes may share the port while one replaces the other.
    const reusePort = process.platform === 'linux'
    server.listen({ host, port: options.port, reusePort }, resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const peer of peers.values()) peer.guard(now)
  }, limits.sweepMs)

  const drain = () => {
    if (isDraining) return
    isDraining = true
    server.close()
    for (const peer of peers.values()) peer.close()
  }
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    port,
    connections: () => peers.size,
    drain,
    close() {
      clearInterval(sweep)
      drain()
      for (const peer of peers.values()) peer.terminate()
    },
  }
}

/** `HTTP2_PROTOCOL_ERROR`, by its code. */
const HTTP2_REASONS: ReadonlyMap<number, string> = new Map(
  Object.entries(H2_ERROR).map(([name, code]) => [
    code,
    `HTTP2_${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`,
  ]),
)

type Servant = (socket: Socket, onClose: () => void) => Peer

function http2Servant({ limits, onStream, onRefused }: ServerOptions): Servant {
  const connectionLimits = {
    streamsMax: limits.streamsPerConnectionMax,
    headerListBytesMax: limits.headerListBytesMax,
    pingsMax: limits.pingsPerSweepMax,
    settingsMax: limits.settingsPerSweepMax,
    resetsMax: limits.resetsPerSweepMax,
  }
  return (socket, onClose) => {
    const connection = new ServerConnection(socket, connectionLimits, {
      onStream,
      onRefused: (code) => onRefused(HTTP2_REASONS.get(code) ?? 'HTTP2'),
      onHeadersTooLarge(stream, bytes) {
        onRefused('HEADERS_TOO_LARGE')
        refuseHeaders(stream, bytes, limits.headerListBytesMax)
      },
      onClose,
    })
    socket.resume()
    return {
      guard: (now) =>
        guardConnection(connection, limits, now, () => onRefused('HANDSHAKE_TOO_SLOW')),
      close: () => connection.close(),
      terminate: () => connection.terminate(H2_ERROR.noError),
    }
  }
}

/** Most processes never see an HTTP/1 client, so that its server is loaded with the first one. */
function http1Servant({ limits, onExchange, onRefused }: ServerOptions): Servant {
  let server: Promise<Http1Server> | null = null
  const load = async () => {
    const { createHttp1Server } = await import('../http1/http1-server.ts')
    return createHttp1Server(limits, onExchange, onRefused)
  }
  return (socket, onClose) => {
    let peer: Peer | null = null
    let isClosing = false
    const onEarlyError = () => void socket.destroy()
    socket.on('error', onEarlyError)
    socket.once('close', onClose)
    server ??= load()
    void server.then((loaded) => {
      socket.off('error', onEarlyError)
      socket.off('close', onClose)
      if (socket.destroyed) return onClose()
      peer = loaded.accept(socket, onClose)
      if (isClosing) peer.close()
      socket.resume()
    })
    return {
      guard: (now) => peer?.guard(now),
      close() {
        isClosing = true
        peer?.close()
      },
      terminate: () => void socket.destroy(),
    }
  }
}

function cannotListen(host: string, port: number, cause: Error): KreError {
  return new KreError(
    'failed-precondition',
    `the entrypoint can't listen on ${host}:${port}: ${cause.message}. Is another program using the port?`,
    { host, port },
    { cause },
  )
}
