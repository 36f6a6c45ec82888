/** One connection to one server, from the first byte to the last: greeting, life signs, end. */
import { createConnection, type Socket } from 'node:net'
import { KiB, KreError, type NatsAccess, tlsProblem, toKreError } from '@kre/contracts/runtime'
import { signNonce } from './sign-nonce.ts'
import { createParser, type CoreMessage, type ProtocolParser } from './parser.ts'
import { toServerError } from './server-error.ts'
import { parseInfo, type ServerInfo } from './server-info.ts'
import type { Server } from './server-list.ts'
import { tlsOver } from './tls-socket.ts'
import { createWriter, type Writer } from './writer.ts'

/** As much as one read may bring. */
const READ_BYTES = 64 * KiB
/** For a peer that does not take the last bytes. */
const END_MS = 1_000

export type SessionOptions = {
  /** Without `tls` it is spoken when the server offers it, with the system's authorities; otherwise it is demanded. */
  readonly access: NatsAccess
  /** Shown by the server in its lists of connections. */
  readonly name: string
  /** From the first try to the server's welcome, at most. */
  readonly connectTimeoutMs: number
  readonly pingIntervalMs: number
  readonly waitingBytesMax: number
}

export type SessionEvents = {
  /** Lines that go before anything else: the subscriptions. */
  greeting(): string
  has(sid: number): boolean
  onMessage(sid: number, message: CoreMessage): void
  /** The server has taken the credentials and the greeting. */
  onReady(): void
  onInfo(info: ServerInfo): void
  /** The server complains, and the session goes on. */
  onError(error: KreError): void
  /** Once; `unauthenticated` = it was the credentials. */
  onEnd(reason: KreError): void
}

export type Session = Pick<Writer, 'message'> & {
  /** Sends lines, if the greeting has been sent; otherwise it will say the same. */
  lines(text: string): void
  /** Resolves when the server has worked on all that was sent before. @throws KreError `unavailable`. */
  roundTrip(): Promise<void>
  /** Ends it after what was sent; `onEnd` is not called. */
  close(): void
  end(reason: KreError): void
}

/** Life signs that may be missing before a connection counts as dead. */
const PINGS_MISSING_MAX = 2

type Waiter = { resolve(): void; reject(reason: KreError): void }
/** Before the CONNECT line, between it and the server's welcome, after it, and at the end. */
type Phase = 'dialling' | 'greeting' | 'ready' | 'ended'

export function openSession(
  server: Server,
  options: SessionOptions,
  events: SessionEvents,
): Session {
  const place = `${server.host}:${server.port}`
  const tls = options.access.tls ?? null
  let phase: Phase = 'dialling'
  let hasGreeted = false
  let socket: Socket
  let parser: ProtocolParser
  let writer: Writer
  /** Who waits for a PONG, in the order of the PINGs; null = nobody. */
  let pings: (Waiter | null)[] = []
  let pingsMissing = 0
  let pingTimer: NodeJS.Timeout | undefined
  /** The server's last complaint says more than the end of the connection. */
  let complaint: KreError | null = null
  const connectTimer = setTimeout(() => end(unavailable(lateness())), options.connectTimeoutMs)

  const unavailable = (what: string, cause?: unknown) =>
    new KreError('unavailable', `the NATS server ${place} ${what}`, { server: place }, { cause })

  const lateness = () => {
    const late = `did not welcome this client within ${options.connectTimeoutMs} ms`
    return !hasGreeted && tls?.handshakeFirst !== true
      ? `${late} and said nothing: where it has handshake_first, set KRE_NATS_TLS_HANDSHAKE_FIRST=true`
      : late
  }
  const attach = (next: Socket) => {
    socket = next
    writer = createWriter(next, options.waitingBytesMax)
    parser = createParser({
      onInfo,
      onPing: () => writer.lines('PONG\r\n'),
      onPong,
      onError,
      has: (sid) => events.has(sid),
      onMessage: (sid, message) => events.onMessage(sid, message),
    })
    next.on('error', (error) => {
      if (socket === next)
        end(
          complaint ??
            unavailable(tlsProblem(error) ?? `can't be reached: ${error.message}`, error),
        )
    })
    next.on('close', () => {
      if (socket === next) end(complaint ?? unavailable('ended the connection'))
    })
  }
  const read = (chunk: Buffer) => {
    try {
      parser.read(chunk)
    } catch (error) {
      end(toKreError(error))
    }
  }
  const fill = (bytes: number) => {
    try {
      parser.filled(bytes)
    } catch (error) {
      end(toKreError(error))
    }
  }
  const dial = () => {
    const { host, port } = server
    if (tls !== null || server.hasTls) {
      // TLS takes the socket over, which it can't while somebody else's buffer is read into.
      attach(createConnection({ host, port, noDelay: true }))
      if (tls?.handshakeFirst === true) startTls()
      else socket.on('data', read)
      return
    }
    const common = Buffer.allocUnsafeSlow(READ_BYTES)
    let room: Buffer | null = null
    const callback = (bytes: number) => {
      if (room === null) read(common.subarray(0, bytes))
      else fill(bytes)
      return true
    }
    // Asked before each read; the first one is before there is a parser.
    const buffer = () => (room = phase === 'ready' ? parser.room() : null) ?? common
    attach(createConnection({ host, port, noDelay: true, onread: { buffer, callback } }))
  }
  const leave = () => {
    const left = socket
    parser.stop()
    writer.stop()
    return left
  }
  const redial = () => {
    const left = leave()
    dial()
    left.destroy()
  }
  /**
   * From here on only what comes through TLS is read: what somebody put behind the greeting in plain text is dropped.
   *
   * @param onSecure the certificate is right. Nobody else learns who we are.
   */
  const startTls = (onSecure?: () => void) => {
    const raw = leave()
    raw.off('data', read)
    try {
      attach(tlsOver(raw, tls, server.host))
      socket.on('data', read)
      if (onSecure !== undefined) socket.once('secureConnect', onSecure)
    } catch (error) {
      // In a turn of its own: who opens a session can be told of its end only when he has it.
      setImmediate(() => end(toKreError(error)))
    }
  }

  const onInfo = (text: string) => {
    const info = parseInfo(text)
    hasGreeted = true
    if (phase !== 'dialling') return events.onInfo(info)
    if (tls?.handshakeFirst === true) return greet(info)
    if (info.hasTls) {
      if (tls !== null || server.hasTls) return startTls(() => greet(info))
      server.hasTls = true
      return redial()
    }
    server.hasTls = false
    if (tls === null) return greet(info)
    end(
      unavailable(
        'offers no TLS, which is demanded: let it speak TLS, or name it by nats:// and without KRE_NATS_TLS_ variables',
      ),
    )
  }
  const greet = (info: ServerInfo) => {
    if (phase !== 'dialling') return
    phase = 'greeting'
    const line = connect(info)
    if (line === null) return
    writer.lines(line + events.greeting())
    ping(null)
    events.onInfo(info)
  }
  /** Null = it ended, because the credentials can't be used. */
  const connect = (info: ServerInfo): string | null => {
    try {
      return connectLine(options, info)
    } catch (error) {
      end(new KreError('unauthenticated', toKreError(error).message, {}, { cause: error }))
      return null
    }
  }
  const ping = (waiter: Waiter | null) => {
    pings.push(waiter)
    writer.lines('PING\r\n')
  }
  const onPong = () => {
    pingsMissing = 0
    pings.shift()?.resolve()
    if (phase !== 'greeting') return
    phase = 'ready'
    clearTimeout(connectTimer)
    pingTimer = setInterval(beat, options.pingIntervalMs)
    pingTimer.unref()
    events.onReady()
  }
  const beat = () => {
    if (pingsMissing >= PINGS_MISSING_MAX)
      return end(
        unavailable(`gave no sign of life for ${pingsMissing * options.pingIntervalMs} ms`),
      )
    pingsMissing++
    ping(null)
  }
  const onError = (text: string) => {
    const error = toServerError(text)
    if (error.code === 'unauthenticated') return end(error)
    if (error.code !== 'permission-denied') complaint = error
    events.onError(error)
  }
  const release = (reason: KreError): boolean => {
    if (phase === 'ended') return false
    phase = 'ended'
    clearTimeout(connectTimer)
    clearInterval(pingTimer)
    parser.stop()
    const waiting = pings
    pings = []
    for (const waiter of waiting) waiter?.reject(reason)
    return true
  }
  const end = (reason: KreError) => {
    if (!release(reason)) return
    writer.stop()
    socket.destroy()
    events.onEnd(reason)
  }

  dial()
  return {
    message: (...message) => writer.message(...message),
    lines(text) {
      if (phase === 'greeting' || phase === 'ready') writer.lines(text)
    },
    roundTrip: () => new Promise((resolve, reject) => ping({ resolve, reject })),
    close() {
      if (!release(unavailable('was left'))) return
      writer.finish()
      socket.destroySoon()
      setTimeout(() => socket.destroy(), END_MS).unref()
    },
    end,
  }
}

function connectLine({ access, name }: SessionOptions, info: ServerInfo): string {
  const greeting = {
    protocol: 1,
    lang: 'kre-core',
    version: '0.1.0',
    name,
    verbose: false,
    pedantic: false,
    headers: info.hasHeaders,
    no_responders: info.hasHeaders,
    ...(access.tls === undefined ? {} : { tls_required: true }),
    ...proofOf(access, info),
  }
  return `CONNECT ${JSON.stringify(greeting)}\r\n`
}

function proofOf({ user, password, credentials }: NatsAccess, { nonce }: ServerInfo): object {
  if (credentials !== undefined)
    return { jwt: credentials.jwt, sig: signNonce(credentials.seed, nonce) }
  return user === '' ? {} : { user, pass: password }
}
