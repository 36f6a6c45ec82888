import { type AddressInfo, createServer } from 'node:net'
import { KreError } from '@kre/contracts/runtime'
import type { Http2Stream } from '../http2/http2-stream.ts'
import { H2_ERROR } from '../http2/protocol.ts'
import { ServerConnection } from '../http2/server-connection.ts'
import type { Limits } from '../limits.ts'
import { guardConnection } from './connection-guard.ts'

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

/** @throws KreError `failed-precondition` when the address can't be listened on. */
export async function listenGrpc(options: {
  host: string
  port: number
  limits: Limits
  onStream: (stream: Http2Stream) => void
}): Promise<GrpcServer> {
  const { host, limits, onStream } = options
  const connections = new Set<ServerConnection>()
  const connectionLimits = {
    streamsMax: limits.streamsPerConnectionMax,
    headerListBytesMax: limits.headerListBytesMax,
    pingsMax: limits.pingsPerSweepMax,
    settingsMax: limits.settingsPerSweepMax,
    resetsMax: limits.resetsPerSweepMax,
  }
  let isDraining = false

  const server = createServer((socket) => {
    const connection = new ServerConnection(socket, connectionLimits, {
      onStream,
      onClose: () => void connections.delete(connection),
    })
    connections.add(connection)
    if (isDraining) connection.close()
  })
  server.maxConnections = limits.connectionsMax

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, options.port, error)))
    // Two processes may share the port while one replaces the other.
    const reusePort = process.platform === 'linux'
    server.listen({ host, port: options.port, reusePort }, resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const connection of connections) guardConnection(connection, limits, now)
  }, limits.sweepMs)

  const drain = () => {
    if (isDraining) return
    isDraining = true
    server.close()
    for (const connection of connections) connection.close()
  }
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    port,
    connections: () => connections.size,
    drain,
    close() {
      clearInterval(sweep)
      drain()
      for (const connection of connections) connection.terminate(H2_ERROR.noError)
    },
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
