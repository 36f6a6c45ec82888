import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { KiB, SECOND_MS } from '@kre/contracts'
import type { Handler } from './create-handler.ts'

export type Listening = {
  /** `http://host:port` */
  readonly address: string
  /** Ends event streams, lets requests under way finish for a moment, then cuts what is left. */
  close(): Promise<void>
}

const HEADERS_BYTES_MAX = 16 * KiB
const HEADERS_MS = 15 * SECOND_MS
/**
 * How long a connection may wait for its next request; Node's 5 s are fewer than a busy computer may stand still for.
 * The engine would then end connections before it reads what has come on them meanwhile, and krectl, which asks ten
 * times a second while it waits, would give up. Proxies keep theirs for 60 s.
 */
const IDLE_MS = 75 * SECOND_MS
/** A thousand who follow along, each with a connection for its questions beside the one of its events, and as many more. */
const CONNECTIONS_MAX = 4_096
const CLOSE_MS = 2 * SECOND_MS
const SWEEP_MS = 20

/** @throws the system's own error (`EADDRINUSE`, …), so that a caller may try another port. */
export async function listen(
  handle: Handler,
  at: { host: string; port: number },
  /** Takes connections that ask to become something else than HTTP. */
  upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void,
): Promise<Listening> {
  const closing = new AbortController()
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: HEADERS_MS,
      keepAliveTimeout: IDLE_MS,
      // An upload may take as long as bytes keep coming; every reader of a body has a limit of its own.
      requestTimeout: 0,
      // Others offer HTTP/2 with every request (curl, Java's client), and are fine with HTTP/1.1.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    (req, res) => handle(req, res, { signal: closing.signal }),
  )
  server.maxConnections = CONNECTIONS_MAX
  // Without this listener Node asks for the body before anybody has looked at the head.
  server.on('checkContinue', (req, res) =>
    handle(req, res, { signal: closing.signal, expectsContinue: true }),
  )
  server.on('upgrade', upgrade)
  await bind(server, at)
  const { port } = server.address() as AddressInfo
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return {
    address: `http://${host}:${port}`,
    close: () => close(server, closing),
  }
}

function bind(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function close(server: Server, closing: AbortController): Promise<void> {
  if (!server.listening) return
  closing.abort()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Connections become idle one by one as their last answers go out.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}
