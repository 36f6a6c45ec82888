/** Publishes messages to the next node and learns at once when nobody is there. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  decodeEnvelope,
  encodeEnvelope,
  encodeEnvelopePieces,
  KiB,
  KreError,
  toKreError,
  type Envelope,
} from '@kre/contracts/runtime'
import { bytesOf, type CoreConnection, type Data } from '@kre/core-nats'
import type { Counters } from '../counters.ts'
import type { Inbox } from './inbox.ts'
import type { LocalHops } from './local-hops.ts'
import { createSentMessages } from './sent-messages.ts'

/** A node that restarts is back within this time; longer waiting would only hide that it is gone. */
const RETRY_FOR_MS = 2_000
const RETRY_EVERY_MS = 25
/** So often, at most, the broker is asked whether all bounces have come. */
const BOUNCE_CHECK_MS = 20
/** Larger payloads are copied here, for they are sent without another copy; handlers may change theirs at any time. */
const PIECES_BYTES_MAX = 256 * KiB
/** Smaller messages are put together with others anyway. */
const KEPT_BYTES_MIN = 32 * KiB
/** Room that the protocol line and headers take beside the payload. */
const PAYLOAD_MARGIN_BYTES = 1 * KiB

/** Where messages go, and what happens with one that nobody takes. */
export type Route = {
  readonly subject: string
  /** Nobody outside of the process listens. */
  readonly isLocal: boolean
  /** A replica that restarts may be back soon. */
  readonly isRetried: boolean
  /** Nothing but the message as it was sent is kept for this: what it was made of holds whole blocks of the socket's data. */
  readonly onDead: (sent: Envelope) => void
}

export type HopSender = {
  /**
   * Hands a message to the nodes of this process as it is: what does not travel needs no form for it.
   *
   * @returns whether nobody else is to get it.
   */
  handOver(route: Route, envelope: Envelope): boolean
  /**
   * Publishes to the nodes of other processes. When no replica is there, tries again until the deadline, at most 2 s, then calls `onDead`.
   *
   * @param deadlineAt on the clock of `performance.now()`.
   * @throws KreError `resource-exhausted` for a message that the broker does not carry, or can't take now.
   */
  hop(route: Route, envelope: Envelope, deadlineAt: number): void
  /**
   * Publishes to the caller.
   *
   * @param creditSubject for a stream: where the entrypoint says how much it has taken, or that it is gone.
   * @throws KreError as `hop`.
   */
  answer(envelope: Envelope, creditSubject?: string): void
  /** Messages that are being tried again. */
  readonly retrying: number
}

export function createHopSender(
  connection: CoreConnection,
  inbox: Inbox,
  counters: Counters,
  local: LocalHops,
): HopSender {
  const sent = createSentMessages<Route>()
  let retrying = 0
  let checking = false

  const send = (route: Route, data: Data, endAt: number) => {
    const reply = replySubject(sent.add(route, data, endAt))
    if (!checking) void check()
    // What was copied for the case that it comes back needs no second copy for the socket.
    if (bytesOf(data) > KEPT_BYTES_MIN)
      connection.publish(route.subject, sent.lastBytes(), reply, undefined, true)
    else connection.publish(route.subject, data, reply)
  }
  const replySubject = inbox.listenForBounces((number) => {
    const bounced = sent.take(number)
    if (bounced === null) return
    const { route, bytes, endAt } = bounced
    if (performance.now() + RETRY_EVERY_MS > endAt) return route.onDead(decodeEnvelope(bytes))
    counters.bounces++
    retrying++
    setTimeout(() => {
      retrying--
      sendAgain(route, bytes, endAt)
    }, RETRY_EVERY_MS)
  })
  const sendAgain = (route: Route, bytes: Uint8Array, endAt: number) => {
    try {
      send(route, bytes, endAt)
    } catch (error) {
      // The broker takes nothing at all now, so nobody can be told. The request ends by its deadline.
      counters.lostMessages++
      process.emitWarning(toKreError(error))
    }
  }
  // The broker answers a ping after what was before it: a message whose bounce has not come by then was taken.
  // While the connection is away nothing can bounce; senders notice by the deadline.
  const check = async () => {
    checking = true
    while (!sent.isEmpty) {
      await sleep(BOUNCE_CHECK_MS, undefined, { ref: false })
      const { last } = sent
      await connection.flush().catch(() => undefined)
      sent.confirm(last)
    }
    checking = false
  }

  return {
    get retrying() {
      return retrying
    },
    handOver: (route, envelope) => local.deliver(route.subject, envelope) && route.isLocal,
    hop(route, envelope, deadlineAt) {
      const data = encode(envelope, connection)
      const forMs = route.isRetried ? RETRY_FOR_MS : 0
      send(route, data, Math.min(deadlineAt, performance.now() + forMs))
    },
    answer(envelope, creditSubject) {
      if (envelope.replyTo === '') return
      connection.publish(envelope.replyTo, encode(envelope, connection), creditSubject)
    },
  }
}

function encode(envelope: Envelope, connection: CoreConnection): Data {
  const isPieces = envelope.value.length <= PIECES_BYTES_MAX
  const data = isPieces ? encodeEnvelopePieces(envelope) : encodeEnvelope(envelope)
  const bytes = bytesOf(data)
  const bytesMax = payloadBytesMax(connection)
  if (bytes > bytesMax) throw tooLarge(bytes, bytesMax)
  return data
}

function payloadBytesMax(connection: CoreConnection): number {
  return connection.maxPayload() - PAYLOAD_MARGIN_BYTES
}

function tooLarge(bytes: number, bytesMax: number): KreError {
  return new KreError(
    'resource-exhausted',
    `the output has ${bytes} bytes; the broker carries at most ${bytesMax}. Send less metadata, or raise max_payload`,
    { bytes, bytesMax },
  )
}
