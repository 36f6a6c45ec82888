/**
 * The message that travels between entrypoint and nodes: `KreNatsMessage` of the original (fields 1 to 5)
 * with fields above 5 added. Unknown fields are ignored, so older and newer processes understand each other.
 * The hot path of the product: written by hand, checked against a generated codec and shared fixtures.
 */
import { ProtoReader, ProtoWriter } from './protobuf.ts'

export const MESSAGE_TYPE = {
  undefined: 0,
  ok: 1,
  error: 2,
  earlyReply: 3,
  earlyExit: 4,
  /** One message of a streamed answer. */
  frame: 5,
  /** A streamed answer is complete; `sequence` is the number of frames that its sender sent. */
  end: 6,
  /** Back to the sender of frames: the caller has taken them up to `sequence`. */
  credit: 7,
} as const
export type MessageType = (typeof MESSAGE_TYPE)[keyof typeof MESSAGE_TYPE]

export const ENCODING = { none: 0, gzip: 1 } as const
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING]

/** A large payload that is kept in an object bucket instead of the message. */
export type Claim = {
  bucket: string
  key: string
  size: number
  sha256: string
  expiresUnixMs: number
  /** It is cut into chunks of this size, but for the last one. */
  chunkBytes: number
}

export type Envelope = {
  /** uuid, given by the entrypoint. */
  requestId: string
  /** Type of the payload, `type.googleapis.com/<full name>`; empty without a payload. */
  typeUrl: string
  /** The payload's bytes, a view into the received message: never decoded on the way. */
  value: Uint8Array
  /** Text of a failure; empty otherwise. */
  error: string
  /** Id of the sending node, or `entrypoint`. */
  fromNode: string
  messageType: MessageType
  /** 0 = none. */
  deadlineUnixMs: number
  /** Subject that answers the caller. */
  replyTo: string
  /** 1 for the first delivery. */
  attempt: number
  /** 0 when it leaves the entrypoint. */
  hop: number
  claim: Claim | null
  encoding: Encoding
  /** gRPC status of a failure; 0 = INTERNAL. */
  statusCode: number
  /** `x-krt-*` metadata of the caller. */
  metadata: Record<string, string>
  /**
   * Tells this message apart from all others of its request, the same on every delivery: unsigned 32 bits
   * from the sender's lineage, the sender and the index of the output.
   */
  lineage: number
  /** Of a frame: 1 for the first that a call of a handler sends. 0 = the message is no part of a stream. */
  sequence: number
  /** Something of the request's way to here is in the bucket for large payloads, to be removed at its end. */
  hasClaims: boolean
  /** Time in handlers on the way to here, in microseconds. */
  handlerUs: number
  /** When it was sent, in microseconds since 1970 on the sender's clock; 0 = not said. */
  sentUnixUs: number
}

const EMPTY = new Uint8Array(0)

/** An envelope with every field at its default. */
export function emptyEnvelope(): Envelope {
  return {
    requestId: '',
    typeUrl: '',
    value: EMPTY,
    error: '',
    fromNode: '',
    messageType: MESSAGE_TYPE.undefined,
    deadlineUnixMs: 0,
    replyTo: '',
    attempt: 0,
    hop: 0,
    claim: null,
    encoding: ENCODING.none,
    statusCode: 0,
    metadata: {},
    lineage: 0,
    sequence: 0,
    hasClaims: false,
    handlerUs: 0,
    sentUnixUs: 0,
  }
}

/** Payloads up to this size are written with one writer that is kept; larger ones are not copied once more. */
const SHARED_PAYLOAD_BYTES_MAX = 16 * 1024
const shared = new ProtoWriter(2 * SHARED_PAYLOAD_BYTES_MAX)

export function encodeEnvelope(e: Envelope): Uint8Array {
  const isShared = e.value.length + e.error.length <= SHARED_PAYLOAD_BYTES_MAX
  const w = isShared
    ? shared.restart()
    : new ProtoWriter(
        e.value.length + 3 * (e.typeUrl.length + e.error.length + e.replyTo.length) + 1024,
      )
  w.string(1, e.requestId)
  if (e.typeUrl !== '' || e.value.length > 0) {
    const payload = w.beginMessage(2)
    w.string(1, e.typeUrl)
    w.bytes(2, e.value)
    w.endMessage(payload)
  }
  writeRest(w, e)
  return isShared ? w.finishCopy() : w.finish()
}

/**
 * As `encodeEnvelope`, but where the payload is large in three pieces for one write: the second one is the payload
 * itself, and no copy.
 */
export function encodeEnvelopePieces(e: Envelope): Uint8Array | readonly Uint8Array[] {
  if (e.value.length <= SHARED_PAYLOAD_BYTES_MAX || e.error.length > SHARED_PAYLOAD_BYTES_MAX)
    return encodeEnvelope(e)
  const w = shared.restart()
  w.string(1, e.requestId)
  const payload = w.beginMessage(2)
  w.string(1, e.typeUrl)
  w.bytesStart(2, e.value.length)
  w.endMessage(payload, e.value.length)
  const headBytes = w.length
  writeRest(w, e)
  const around = w.finishCopy()
  return [around.subarray(0, headBytes), e.value, around.subarray(headBytes)]
}

/** All that comes after the payload. */
function writeRest(w: ProtoWriter, e: Envelope): void {
  w.string(3, e.error)
  w.string(4, e.fromNode)
  w.uint(5, e.messageType)
  w.uint(16, e.deadlineUnixMs)
  w.string(17, e.replyTo)
  w.uint(18, e.attempt)
  w.uint(19, e.hop)
  if (e.claim !== null) {
    const claim = w.beginMessage(20)
    w.string(1, e.claim.bucket)
    w.string(2, e.claim.key)
    w.uint(3, e.claim.size)
    w.string(4, e.claim.sha256)
    w.uint(5, e.claim.expiresUnixMs)
    w.uint(6, e.claim.chunkBytes)
    w.endMessage(claim)
  }
  w.uint(21, e.encoding)
  w.uint(22, e.statusCode)
  for (const key in e.metadata) {
    const entry = w.beginMessage(23)
    w.string(1, key)
    w.string(2, e.metadata[key] ?? '')
    w.endMessage(entry)
  }
  w.uint(24, e.lineage)
  w.uint(25, e.sequence)
  w.uint(26, e.hasClaims ? 1 : 0)
  w.uint(27, e.handlerUs)
  w.uint(28, e.sentUnixUs)
}

/** @throws KreError `invalid-argument` when the bytes are not a protobuf message. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const e = emptyEnvelope()
  const r = new ProtoReader(bytes)
  while (r.next()) {
    switch (r.field) {
      case 1:
        e.requestId = r.string()
        break
      case 2:
        readAny(r.message(), e)
        break
      case 3:
        e.error = r.string()
        break
      case 4:
        e.fromNode = r.string()
        break
      case 5:
        e.messageType = toMessageType(r.uint())
        break
      case 16:
        e.deadlineUnixMs = r.uint()
        break
      case 17:
        e.replyTo = r.string()
        break
      case 18:
        e.attempt = r.uint()
        break
      case 19:
        e.hop = r.uint()
        break
      case 20:
        e.claim = readClaim(r.message())
        break
      case 21:
        e.encoding = r.uint() === ENCODING.gzip ? ENCODING.gzip : ENCODING.none
        break
      case 22:
        e.statusCode = r.uint()
        break
      case 23:
        readEntry(r.message(), e.metadata)
        break
      case 24:
        e.lineage = r.uint()
        break
      case 25:
        e.sequence = r.uint()
        break
      case 26:
        e.hasClaims = r.uint() !== 0
        break
      case 27:
        e.handlerUs = r.uint()
        break
      case 28:
        e.sentUnixUs = r.uint()
        break
      default:
        r.skip()
    }
  }
  return e
}

function readAny(r: ProtoReader, into: Envelope): void {
  while (r.next()) {
    if (r.field === 1) into.typeUrl = r.string()
    else if (r.field === 2) into.value = r.bytes()
    else r.skip()
  }
}

function readClaim(r: ProtoReader): Claim {
  const claim: Claim = {
    bucket: '',
    key: '',
    size: 0,
    sha256: '',
    expiresUnixMs: 0,
    chunkBytes: 0,
  }
  while (r.next()) {
    if (r.field === 1) claim.bucket = r.string()
    else if (r.field === 2) claim.key = r.string()
    else if (r.field === 3) claim.size = r.uint()
    else if (r.field === 4) claim.sha256 = r.string()
    else if (r.field === 5) claim.expiresUnixMs = r.uint()
    else if (r.field === 6) claim.chunkBytes = r.uint()
    else r.skip()
  }
  return claim
}

function readEntry(r: ProtoReader, into: Record<string, string>): void {
  let key = ''
  let value = ''
  while (r.next()) {
    if (r.field === 1) key = r.string()
    else if (r.field === 2) value = r.string()
    else r.skip()
  }
  if (key !== '__proto__') {
    into[key] = value
    return
  }
  // Set by definition, so that it is a plain key. Slow, so it is not done for others.
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true })
}

function toMessageType(value: number): MessageType {
  return value >= 0 && value <= 7 ? (value as MessageType) : MESSAGE_TYPE.undefined
}
