import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { KreError } from '@kre/contracts/runtime'
import type { Limits } from '../limits.ts'
import { createConnectionGuard } from './connection-guard.ts'

export type GrpcServer = {
  /** `host:port` */
  readonly address: string
  readonly port: number
  connections(): number
  /** Takes no new connections and tells the existing ones to go elsewhere; calls that run go on. */
  drain(): void
  /** Ends every connection. */
  close(): Promise<void>
}

/** Bytes a peer may send before they were read: a connection's share of memory, and its speed on a slow path. */
const CONNECTION_WINDOW_BYTES = 1024 * 1024
const STREAM_WINDOW_BYTES = 256 * 1024
/** Node's own bound on what one connection's protocol state may hold, in MB. */
const SESSION_MEMORY_MB = 32

/** @throws KreError `failed-precondition` when the address can't be listened on. */
export async function listenGrpc(options: {
  host: string
  port: number
  limits: Limits
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
}): Promise<GrpcServer> {
  const { host, limits, onStream } = options
  const server = createServer({
    maxSessionMemory: SESSION_MEMORY_MB,
    maxHeaderListPairs: limits.headerPairsMax,
    maxOutstandingPings: 4,
    settings: {
      enablePush: false,
      maxConcurrentStreams: limits.streamsPerConnectionMax,
      maxHeaderListSize: limits.headerListBytesMax,
      initialWindowSize: STREAM_WINDOW_BYTES,
    },
  })
  server.maxConnections = limits.connectionsMax
  const guard = createConnectionGuard(limits)
  const sessions = new Set<ServerHttp2Session>()
  let isDraining = false

  server.on('session', (session) => {
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    sessions.add(session)
    guard.opened(session)
    session.once('close', () => {
      sessions.delete(session)
      guard.closed(session)
    })
    if (isDraining) session.close()
  })
  server.on('sessionError', ignoreSessionError)
  server.on('stream', (stream, headers) => {
    guard.called(stream)
    onStream(stream, headers)
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, options.port, error)))
    // Two processes may share the port while one replaces the other.
    const reusePort = process.platform === 'linux'
    server.listen({ host, port: options.port, reusePort }, resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  const sweep = setInterval(() => guard.sweep(), limits.sweepMs)

  const drain = () => {
    if (isDraining) return
    isDraining = true
    server.close()
    for (const session of sessions) session.close()
  }
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    port,
    connections: () => sessions.size,
    drain,
    async close() {
      clearInterval(sweep)
      drain()
      const closed = [...sessions].map(
        (session) => new Promise<void>((resolve) => void session.once('close', resolve)),
      )
      for (const session of sessions) session.destroy(undefined, constants.NGHTTP2_NO_ERROR)
      await Promise.all(closed)
    },
  }
}

/** What is wrong with a connection is its peer's fault, and Node has ended it. */
function ignoreSessionError(): void {}

function cannotListen(host: string, port: number, cause: Error): KreError {
  return new KreError(
    'failed-precondition',
    `the entrypoint can't listen on ${host}:${port}: ${cause.message}. Is another program using the port?`,
    { host, port },
    { cause },
  )
}
