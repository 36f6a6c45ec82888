/** A NATS server that does what a test wants, also what no server should do. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { NatsAccess } from '@kre/contracts'

export type FakeClient = {
  readonly socket: Socket
  /** Everything that it has sent. */
  readonly sent: string
  send(bytes: string | Uint8Array): void
}

export type FakeServer = AsyncDisposable & {
  readonly access: NatsAccess
  readonly clients: readonly FakeClient[]
}

export type FakeInfo = {
  max_payload?: number
  headers?: boolean
  ldm?: boolean
  tls_required?: boolean
}

/** @param behave called for each connection; `welcome` does what a server does. */
export async function startFakeServer(
  behave: (client: FakeClient, index: number) => void = (client) => welcome(client),
): Promise<FakeServer> {
  const clients: FakeClient[] = []
  const server = createServer((socket) => {
    let sent = ''
    const client: FakeClient = {
      socket,
      get sent() {
        return sent
      },
      send: (bytes) => void socket.write(bytes),
    }
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => (sent += chunk.toString('latin1')))
    clients.push(client)
    behave(client, clients.length - 1)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    access: { servers: [`127.0.0.1:${port}`], user: '', password: '' },
    clients,
    async [Symbol.asyncDispose]() {
      for (const { socket } of clients) socket.destroy()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

export function infoLine(info: FakeInfo = {}): string {
  return `INFO ${JSON.stringify({ server_id: 'fake', version: '2.10.0', headers: true, max_payload: 1_048_576, ...info })}\r\n`
}

/** INFO, and a PONG for each PING. */
export function welcome(client: FakeClient, info: FakeInfo = {}): void {
  client.send(infoLine(info))
  answerPings(client)
}

export function answerPings(client: FakeClient): void {
  let answered = 0
  client.socket.on('data', () => {
    const pings = client.sent.split('PING\r\n').length - 1
    for (; answered < pings; answered++) client.send('PONG\r\n')
  })
}
