/** A client that speaks the protocol by hand and keeps to no rule: what somebody would use who has stolen credentials. */
import { createPrivateKey, sign } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import { waitUntil } from '@kre/service-kit'

export type RawNats = AsyncDisposable & {
  /** What the server has complained of, in order. */
  readonly errors: readonly string[]
  readonly messages: readonly { subject: string; sid: number; text: string; status: number }[]
  readonly isClosed: boolean
  publish(subject: string, text: string, reply?: string): void
  /** @returns its number. */
  subscribe(subject: string, queue?: string): number
  unsubscribe(sid: number): void
  /** Resolves when the server has worked on all of it; false = it has ended the connection. */
  flush(): Promise<boolean>
}

/** What CONNECT carries beside the rest. */
export type Proof = (nonce: string) => Readonly<Record<string, unknown>>

export function withSeed(jwt: string, seed: string): Proof {
  return (nonce) => ({ jwt, sig: signWith(seed, nonce) })
}

export async function connectRaw(server: string, proof: Proof): Promise<RawNats> {
  const [host = '', port = ''] = server.split(':')
  const socket = createConnection({ host, port: Number(port) })
  const errors: string[] = []
  const messages: { subject: string; sid: number; text: string; status: number }[] = []
  let pongs = 0
  let pings = 0
  let sids = 0
  let isClosed = false
  let rest = ''
  socket.on('error', () => undefined)
  socket.on('close', () => (isClosed = true))
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    rest += chunk
    rest = read(rest, {
      info: (nonce) => {
        const connect = {
          verbose: false,
          pedantic: false,
          headers: true,
          no_responders: true,
          ...proof(nonce),
        }
        socket.write(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`)
        pings++
      },
      pong: () => void pongs++,
      ping: () => void socket.write('PONG\r\n'),
      error: (text) => void errors.push(text),
      message: (message) => void messages.push(message),
    })
  })
  const client: RawNats = {
    errors,
    messages,
    get isClosed() {
      return isClosed
    },
    publish(subject, text, reply = '') {
      const to = reply === '' ? '' : `${reply} `
      socket.write(`PUB ${subject} ${to}${text.length}\r\n${text}\r\n`)
    },
    subscribe(subject, queue = '') {
      socket.write(`SUB ${subject} ${queue === '' ? '' : `${queue} `}${++sids}\r\n`)
      return sids
    },
    unsubscribe: (sid) => void socket.write(`UNSUB ${sid}\r\n`),
    async flush() {
      pings++
      socket.write('PING\r\n')
      await waitUntil('the answer of nats-server', () => pongs >= pings || isClosed)
      return !isClosed
    },
    async [Symbol.asyncDispose]() {
      await close(socket)
    },
  }
  await waitUntil('the welcome of nats-server', () => pongs > 0 || isClosed)
  return client
}

async function close(socket: Socket): Promise<void> {
  socket.destroy()
  await waitUntil('the end of the connection', () => socket.closed)
}

type Handlers = {
  info(nonce: string): void
  pong(): void
  ping(): void
  error(text: string): void
  message(message: { subject: string; sid: number; text: string; status: number }): void
}

/** @returns what is left for the next read. */
function read(text: string, handlers: Handlers): string {
  let at = 0
  for (;;) {
    const end = text.indexOf('\r\n', at)
    if (end === -1) return text.slice(at)
    const [operation = '', ...words] = text.slice(at, end).split(' ')
    let next = end + 2
    if (operation === 'MSG' || operation === 'HMSG') {
      const bytes = Number(words.at(-1))
      if (text.length < next + bytes + 2) return text.slice(at)
      const body = text.slice(next, next + bytes)
      const headerBytes = operation === 'HMSG' ? Number(words.at(-2)) : 0
      handlers.message({
        subject: words[0] ?? '',
        sid: Number(words[1]),
        text: body.slice(headerBytes),
        status: Number(/^NATS\/1\.0 (\d+)/.exec(body)?.[1] ?? 0),
      })
      next += bytes + 2
    } else if (operation === 'INFO') {
      const { nonce } = JSON.parse(words.join(' ')) as { nonce?: string }
      // Said again when something changes.
      if (at === 0 || nonce !== undefined) handlers.info(nonce ?? '')
    } else if (operation === 'PONG') handlers.pong()
    else if (operation === 'PING') handlers.ping()
    else if (operation === '-ERR') handlers.error(words.join(' '))
    at = next
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The signature of a nonce by the nkey seed, without the code that is being tested. */
export function signWith(seed: string, nonce: string): string {
  const bits = Array.from(seed)
    .map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  const bytes = Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [])
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    bytes.subarray(2, 34),
  ])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return sign(null, Buffer.from(nonce), key).toString('base64url')
}
