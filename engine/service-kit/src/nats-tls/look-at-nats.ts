/** Says what a server of NATS demands, and what stands in the way, without signing in. */
import { createConnection, isIP, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { KiB, KreError, type NatsTls, SECOND_MS, tlsProblem } from '@kre/contracts'

const LOOK_MS = 5 * SECOND_MS
/** A greeting lists all servers of a cluster. */
const GREETING_BYTES_MAX = 256 * KiB
const DEFAULT_PORT = 4222

export type NatsLook = {
  /** `host:port`. */
  readonly address: string
  readonly version: string
  /** Null = in plain text. */
  readonly tls: {
    /** `TLSv1.3`. */
    readonly protocol: string
    /** Whom the certificate is for, and until when it is good (ISO 8601). */
    readonly subject: string
    readonly validTo: string
  } | null
}

/**
 * @param server as in `KRE_NATS_URL`.
 * @param tls null = spoken where the server wants it.
 * @throws KreError `failed-precondition` where TLS stands in the way, `unavailable` where nobody answers; both say what to do.
 */
export async function lookAtNats(
  server: string,
  tls: NatsTls | null,
  timeoutMs = LOOK_MS,
): Promise<NatsLook> {
  const { host, port } = addressOf(server)
  const address = `${host}:${port}`
  let raw: Socket | null = null
  let secured: TLSSocket | null = null
  const isFirst = tls?.handshakeFirst === true
  const timer = setTimeout(() => {
    const isSilent =
      raw?.bytesRead === 0 && raw.bytesWritten === 0 && !raw.connecting && secured === null
    const why = isSilent
      ? blocked(
          address,
          'says nothing: where it has handshake_first, set KRE_NATS_TLS_HANDSHAKE_FIRST=true',
        )
      : new Error(`no answer within ${timeoutMs} ms`)
    ;(secured ?? raw)?.destroy(why)
  }, timeoutMs)
  try {
    raw = createConnection({ host, port, noDelay: true })
    if (isFirst) await untilSecure((secured = overTls(raw, tls, host)))
    const info = readGreeting(await line(secured ?? raw), address)
    if (secured === null && (info.tls_required === true || tls !== null)) {
      if (info.tls_required !== true && info.tls_available !== true)
        throw blocked(
          address,
          'offers no TLS, which is demanded: let it speak TLS, or name it by nats:// and without KRE_NATS_TLS_ variables',
        )
      if (info.tls_verify === true && tls?.cert === undefined)
        throw blocked(
          address,
          'wants a certificate of its clients: set KRE_NATS_TLS_CERT_FILE and KRE_NATS_TLS_KEY_FILE',
        )
      await untilSecure((secured = overTls(raw, tls, host)))
      // What a server thinks of our certificate comes with its first answer, and it answers to nobody else.
      if (tls?.cert !== undefined) {
        secured.write('PING\r\n')
        await line(secured)
      }
    }
    const version = typeof info.version === 'string' ? info.version : 'unknown'
    return { address, version, tls: describe(secured) }
  } catch (error) {
    if (error instanceof KreError) throw error
    const failure = error as NodeJS.ErrnoException
    const problem = tlsProblem(failure)
    if (problem !== null) throw blocked(address, problem, error)
    const text = `the NATS server ${address} can't be reached: ${failure.message}`
    throw new KreError('unavailable', text, {}, { cause: error })
  } finally {
    clearTimeout(timer)
    // The one that is outside; it takes the other one along.
    ;(secured ?? raw)?.destroy()
  }
}

type Greeting = {
  version?: unknown
  tls_required?: unknown
  tls_available?: unknown
  tls_verify?: unknown
}

function readGreeting(text: string, address: string): Greeting {
  const json = /^INFO (\{.*\})\s*$/.exec(text)?.[1]
  try {
    if (json !== undefined) return JSON.parse(json) as Greeting
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  const seen = JSON.stringify(text.slice(0, 60))
  throw new KreError('unavailable', `what answers at ${address} is no NATS server: it says ${seen}`)
}

function overTls(raw: Socket, tls: NatsTls | null, host: string): TLSSocket {
  const { ca, cert, key, serverName } = tls ?? {}
  const name = serverName ?? host
  const socket = connect({
    socket: raw,
    host,
    minVersion: 'TLSv1.2',
    ...(isIP(name) === 0 ? { servername: name } : {}),
    // As who connects afterwards.
    ...(ca === undefined ? {} : { ca, allowPartialTrustChain: true }),
    ...(cert === undefined ? {} : { cert, key }),
  })
  raw.on('error', (error) => socket.destroy(error))
  return socket
}

async function untilSecure(socket: TLSSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.on('error', reject)
  socket.once('close', () => reject(new Error('it ended the connection')))
  socket.once('secureConnect', () => resolve())
  return promise
}

async function line(socket: Socket): Promise<string> {
  let text = ''
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  socket.on('error', reject)
  socket.once('close', () => reject(new Error('it ended the connection')))
  const hear = (chunk: Buffer) => {
    text += chunk.toString('latin1')
    if (!text.includes('\n') && text.length < GREETING_BYTES_MAX) return
    socket.off('data', hear)
    socket.pause()
    resolve(text.split('\r\n')[0] ?? '')
  }
  socket.on('data', hear)
  socket.resume()
  return promise
}

function describe(socket: TLSSocket | null): NatsLook['tls'] {
  if (socket === null) return null
  const { subject, subjectaltname, valid_to: validTo } = socket.getPeerCertificate()
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    subject: subjectaltname ?? String(subject?.CN ?? 'unknown'),
    validTo: new Date(validTo).toISOString(),
  }
}

function blocked(address: string, problem: string, cause?: unknown): KreError {
  return new KreError('failed-precondition', `the NATS server ${address} ${problem}`, {}, { cause })
}

/** @throws KreError `invalid-argument`. */
function addressOf(server: string): { host: string; port: number } {
  const url = URL.parse(/^\w+:\/\//.test(server) ? server : `nats://${server}`)
  if (url === null || url.hostname === '')
    throw new KreError(
      'invalid-argument',
      `${JSON.stringify(server)} is no address of a NATS server`,
    )
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
  }
}
