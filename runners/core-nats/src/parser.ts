/** Reads what a NATS server sends (docs.nats.io, client protocol), in chunks cut anywhere. */
import { KiB, KreError, MiB } from '@kre/contracts/runtime'
import { allocateMessage } from './large-buffers.ts'

/** One message of a subscription. */
export type CoreMessage = {
  readonly subject: string
  /** Empty = no answer is expected. */
  readonly reply: string
  /** The receiver's own: nothing writes into it later. */
  readonly data: Uint8Array
  /** Status in the headers' first line, for example 503 = nobody listens to what was sent; 0 = none. */
  readonly status: number
}

export type ProtocolHandlers = {
  /** The JSON text of an INFO line. */
  onInfo(text: string): void
  onPing(): void
  onPong(): void
  /** The text of an -ERR line, without its quotes. */
  onError(text: string): void
  /** Whether anybody takes messages with this number; if not, the payload is skipped. */
  has(sid: number): boolean
  onMessage(sid: number, message: CoreMessage): void
}

export type ProtocolParser = {
  /**
   * Reads on. The chunk may be reused afterwards.
   *
   * @throws KreError `internal` for bytes that are not of the protocol; nothing can be read after that.
   */
  read(chunk: Buffer): void
  /**
   * Where the next bytes of a large message belong: read into it, they need no copy. Null = they may be read anywhere.
   * Tell `filled` of them instead of `read`.
   */
  room(): Buffer | null
  /** So many bytes were read into the start of `room()`. @throws KreError as `read`. */
  filled(bytes: number): void
  /** Nothing is handed over any more, not even of the chunk that is being read. */
  stop(): void
}

/** INFO lists all servers of a cluster; all other lines are shorter. */
const LINE_BYTES_MAX = 256 * KiB
/** What a server can be configured for at most. */
const MESSAGE_BYTES_MAX = 64 * MiB
/** `MSG <subject> <sid> [reply] <bytes>`, `HMSG <subject> <sid> [reply] <header bytes> <bytes>` */
const ARGUMENTS_MAX = 5

/** For less, a read of its own costs more than copying. */
const ROOM_BYTES_MIN = 64 * KiB

const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9
const ZERO = 48
const NINE = 57
/** Makes an ASCII letter a small one: names of operations may have any case. */
const SMALL = 0x20
const HEADER_VERSION = 'NATS/1.0'

const NOTHING = Buffer.alloc(0)

export function createParser(handlers: ProtocolHandlers): ProtocolParser {
  let isStopped = false
  /** Start of a line whose end has not come yet. */
  let line = NOTHING
  /** Start and end of each argument of the line that is being read. */
  const bounds = new Int32Array(2 * ARGUMENTS_MAX)

  /** The message whose bytes come after its line; `wanted` = bytes of headers, payload and line end, 0 = none. */
  let wanted = 0
  let sid = 0
  let subject = ''
  let reply = ''
  let headerBytes = 0
  /** Its bytes so far, when they came in more than one chunk. */
  let body: Buffer | null = null
  let has = 0

  const split = (buffer: Buffer, start: number, end: number): number => {
    let count = 0
    let at = start
    while (at < end) {
      while (at < end && isBlank(buffer[at] as number)) at++
      if (at === end) break
      if (count === ARGUMENTS_MAX) throw malformed('a line has too many arguments', buffer, start)
      bounds[2 * count] = at
      while (at < end && !isBlank(buffer[at] as number)) at++
      bounds[2 * count + 1] = at
      count++
    }
    return count
  }
  const number = (buffer: Buffer, index: number): number => {
    const start = bounds[2 * index] as number
    const end = bounds[2 * index + 1] as number
    let value = 0
    for (let at = start; at < end; at++) {
      const digit = buffer[at] as number
      if (digit < ZERO || digit > NINE) throw malformed('a number has other signs', buffer, start)
      value = value * 10 + (digit - ZERO)
    }
    if (value > MESSAGE_BYTES_MAX) throw malformed('a number is too large', buffer, start)
    return value
  }
  const text = (buffer: Buffer, index: number): string =>
    buffer.toString('latin1', bounds[2 * index], bounds[2 * index + 1])

  const readMessageLine = (buffer: Buffer, start: number, end: number, hasHeaders: boolean) => {
    const count = split(buffer, start, end)
    const least = hasHeaders ? 4 : 3
    if (count !== least && count !== least + 1)
      throw malformed('a message has a wrong number of arguments', buffer, start)
    const bytes = number(buffer, count - 1)
    headerBytes = hasHeaders ? number(buffer, count - 2) : 0
    if (headerBytes > bytes) throw malformed('headers are longer than their message', buffer, start)
    sid = number(buffer, 1)
    wanted = bytes + 2
    if (!handlers.has(sid)) {
      sid = 0
      return
    }
    subject = text(buffer, 0)
    reply = count === least ? '' : text(buffer, 2)
  }
  const readLine = (buffer: Buffer, start: number, lf: number) => {
    const end = lf - 1
    if (end < start || buffer[end] !== CR)
      throw malformed('a line does not end in CRLF', buffer, start)
    const first = (buffer[start] as number) | SMALL
    if (first === 0x6d && isName(buffer, start, end, 'msg'))
      readMessageLine(buffer, start + 4, end, false)
    else if (isName(buffer, start, end, 'hmsg')) readMessageLine(buffer, start + 5, end, true)
    else if (isName(buffer, start, end, 'ping')) handlers.onPing()
    else if (isName(buffer, start, end, 'pong')) handlers.onPong()
    else if (isName(buffer, start, end, '+ok')) return
    else if (isName(buffer, start, end, 'info'))
      handlers.onInfo(buffer.toString('utf8', start + 4, end))
    else if (isName(buffer, start, end, '-err'))
      handlers.onError(unquoted(buffer.toString('utf8', start + 4, end)))
    else throw malformed('a line starts with no operation', buffer, start)
  }
  const handOver = (bytes: Buffer, start: number, isOwn: boolean) => {
    const end = start + wanted - 2
    if (bytes[end] !== CR || bytes[end + 1] !== LF)
      throw malformed('a message does not end in CRLF', bytes, end)
    wanted = 0
    if (sid === 0) return
    const dataStart = start + headerBytes
    let data: Buffer
    if (isOwn) data = bytes.subarray(dataStart, end)
    else {
      data = allocateMessage(end - dataStart)
      bytes.copy(data, 0, dataStart, end)
    }
    const status = headerBytes === 0 ? 0 : statusOf(bytes, start, dataStart)
    handlers.onMessage(sid, { subject, reply, data, status })
  }
  const readBody = (chunk: Buffer, at: number): number => {
    if (body === null && chunk.length - at >= wanted) {
      const next = at + wanted
      handOver(chunk, at, false)
      return next
    }
    body ??= allocateMessage(wanted)
    const part = Math.min(wanted - has, chunk.length - at)
    chunk.copy(body, has, at, at + part)
    takePart(body, part)
    return at + part
  }
  const takePart = (whole: Buffer, part: number) => {
    has += part
    if (has < wanted) return
    body = null
    has = 0
    handOver(whole, 0, true)
  }

  return {
    read(chunk) {
      let at = 0
      while (at < chunk.length && !isStopped) {
        if (wanted > 0) {
          at = readBody(chunk, at)
          continue
        }
        const lf = chunk.indexOf(LF, at)
        const rest = lf === -1 ? chunk.length : lf + 1
        if (line.length + rest - at > LINE_BYTES_MAX)
          throw malformed('a line has no end', chunk, at)
        if (lf !== -1 && line.length === 0) readLine(chunk, at, lf)
        else {
          line = Buffer.concat([line, chunk.subarray(at, rest)])
          if (lf !== -1) {
            const whole = line
            line = NOTHING
            readLine(whole, 0, whole.length - 1)
          }
        }
        at = rest
      }
    },
    room: () =>
      body !== null && wanted - has >= ROOM_BYTES_MIN ? body.subarray(has, wanted) : null,
    filled(bytes) {
      if (body !== null && !isStopped) takePart(body, bytes)
    },
    stop() {
      isStopped = true
    },
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB
}

/** Whether the line's first word is that one. */
function isName(buffer: Buffer, start: number, end: number, name: string): boolean {
  const after = start + name.length
  if (after > end) return false
  for (let at = 0; at < name.length; at++) {
    const byte = buffer[start + at] as number
    if (byte !== name.charCodeAt(at) && (byte | SMALL) !== name.charCodeAt(at)) return false
  }
  return after === end || isBlank(buffer[after] as number)
}

/** `NATS/1.0 503 No Responders` */
function statusOf(bytes: Buffer, start: number, end: number): number {
  const at = start + HEADER_VERSION.length + 1
  if (at + 3 > end) return 0
  const status = Number(bytes.toString('latin1', at, at + 3))
  return status >= 100 && status <= 999 ? status : 0
}

function unquoted(text: string): string {
  return text.trim().replace(/^'(.*)'$/s, '$1')
}

function malformed(what: string, buffer: Buffer, at: number): KreError {
  const seen = JSON.stringify(buffer.toString('latin1', at, at + 40))
  return new KreError('internal', `what the NATS server sent is not NATS: ${what}, at ${seen}`)
}
