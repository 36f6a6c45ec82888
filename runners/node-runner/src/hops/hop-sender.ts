/** Publishes messages to the next node and learns at once when nobody is there. */
import { gzipSync } from 'node:zlib'
import type { NatsConnection } from '@nats-io/transport-node'
import { encodeEnvelope, ENCODING, KiB, KreError, type Envelope } from '@kre/contracts/runtime'
import type { Counters } from '../counters.ts'
import type { Inbox } from './inbox.ts'

/** A node that restarts is back within this time; longer waiting would only hide that it is gone. */
const RETRY_FOR_MS = 2_000
const RETRY_EVERY_MS = 25
/** Room that the protocol line and headers take beside the payload. */
const PAYLOAD_MARGIN_BYTES = 1 * KiB

export type HopSender = {
  /**
   * Publishes to a subject that some node subscribes to. When no replica is there, tries again until the deadline,
   * at most 2 s, then calls `onDead`.
   *
   * @param deadlineAt on the clock of `performance.now()`.
   * @throws KreError `resource-exhausted` for a message that the broker does not carry.
   */
  hop(subject: string, envelope: Envelope, deadlineAt: number, onDead: () => void): void
  /** Publishes once; `onDead` is called when nobody subscribes. */
  once(subject: string, envelope: Envelope, onDead: () => void): void
  /** Publishes to the caller. @throws KreError as `hop`. */
  answer(envelope: Envelope): void
  /** Messages that are being tried again. */
  readonly retrying: number
}

export function createHopSender(
  connection: NatsConnection,
  inbox: Inbox,
  counters: Counters,
): HopSender {
  let retrying = 0

  const send = (subject: string, bytes: Uint8Array, endAt: number, onDead: () => void) => {
    const reply = inbox.bounce(bytes.length, () => {
      const now = performance.now()
      if (now + RETRY_EVERY_MS > endAt) return onDead()
      counters.bounces++
      retrying++
      setTimeout(() => {
        retrying--
        if (!connection.isClosed()) send(subject, bytes, endAt, onDead)
      }, RETRY_EVERY_MS)
    })
    connection.publish(subject, bytes, { reply })
  }

  return {
    get retrying() {
      return retrying
    },
    hop(subject, envelope, deadlineAt, onDead) {
      const now = performance.now()
      send(
        subject,
        encodeForHop(envelope, connection),
        Math.min(deadlineAt, now + RETRY_FOR_MS),
        onDead,
      )
    },
    once(subject, envelope, onDead) {
      const bytes = encodeEnvelope(envelope)
      connection.publish(subject, bytes, { reply: inbox.bounce(bytes.length, onDead) })
    },
    answer(envelope) {
      if (envelope.replyTo === '') return
      const bytes = encodeEnvelope(envelope)
      const bytesMax = payloadBytesMax(connection)
      if (bytes.length > bytesMax) throw tooLarge(bytes.length, bytesMax)
      connection.publish(envelope.replyTo, bytes)
    },
  }
}

/** Compresses a payload that would not fit otherwise. */
function encodeForHop(envelope: Envelope, connection: NatsConnection): Uint8Array {
  const bytes = encodeEnvelope(envelope)
  const bytesMax = payloadBytesMax(connection)
  if (bytes.length <= bytesMax) return bytes
  const value = gzipSync(envelope.value, { level: 1 })
  const smaller = encodeEnvelope({ ...envelope, value, encoding: ENCODING.gzip })
  if (smaller.length <= bytesMax) return smaller
  throw tooLarge(bytes.length, bytesMax)
}

function payloadBytesMax(connection: NatsConnection): number {
  return (connection.info?.max_payload ?? 1024 * KiB) - PAYLOAD_MARGIN_BYTES
}

function tooLarge(bytes: number, bytesMax: number): KreError {
  return new KreError(
    'resource-exhausted',
    `the output has ${bytes} bytes; the broker carries at most ${bytesMax}. Send a smaller message, or put the data into the object store and send its key`,
    { bytes, bytesMax },
  )
}
