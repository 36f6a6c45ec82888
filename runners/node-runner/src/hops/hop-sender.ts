/** Publishes messages to the next node and learns at once when nobody is there. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  decodeEnvelope,
  encodeEnvelope,
  encodeEnvelopePieces,
  KiB,
  KreError,
  MiB,
  toKreError,
  type Envelope,
} from '@kre/contracts/runtime'
import { bytesOf, type CoreConnection, type Data, type Inbox } from '@kre/core-nats'
import type { Counters } from '../counters.ts'
import type { LocalHops } from './local-hops.ts'
import { createSentMessages } from './sent-messages.ts'

/** A node that restarts is back within this time; longer waiting would only hide that it is gone. */
const RETRY_FOR_MS = 2_000
const RETRY_EVERY_MS = 25
/** A node that sleeps needs a while to start, however often it is looked for. */
const SLEEPER_RETRY_MS = 200
/**
 * Messages that wait for nodes that sleep, and their bytes: more are refused. Few come so far, because entrypoints wait
 * for all nodes of a workflow; and all of them are sent on each try.
 */
const SLEEPER_MESSAGES_MAX = 1_024
const SLEEPER_BYTES_MAX = 16 * MiB
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
  /** A node that listens may sleep: it is asked for, and the message waits for it. */
  readonly isSleeper: boolean
  /**
   * Nothing but the message as it was sent is kept for this: what it was made of holds whole blocks of the socket's data.
   *
   * @param isFull as many messages as may wait for nodes that sleep.
   */
  readonly onDead: (sent: Envelope, isFull: boolean) => void
}

export type HopSender = {
  /**
   * Hands a message to the nodes of this process as it is: what does not travel needs no form for it.
   *
   * @returns whether nobody else is to get it.
   */
  handOver(route: Route, envelope: Envelope): boolean
  /**
   * Publishes to the nodes of other processes. When no replica is there, tries again until the deadline, at most 2 s but
   * for nodes that sleep, then calls `onDead`.
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
  /** Calls `onDead` for these: the process ends. */
  giveUp(): void
}

export function createHopSender(
  connection: CoreConnection,
  inbox: Inbox,
  counters: Counters,
  local: LocalHops,
  /** Asks for nodes that sleep, as often as it is called. */
  wake: () => void = () => undefined,
): HopSender {
  const sent = createSentMessages<Route>()
  const waiting = new Map<NodeJS.Timeout, { route: Route; bytes: Uint8Array }>()
  /** For nodes that sleep. */
  const held = { messages: 0, bytes: 0 }
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
    const afterMs = route.isSleeper ? SLEEPER_RETRY_MS : RETRY_EVERY_MS
    if (performance.now() + afterMs > endAt) return route.onDead(decodeEnvelope(bytes), false)
    counters.bounces++
    if (route.isSleeper) {
      wake()
      if (isFull(bytes.length)) return route.onDead(decodeEnvelope(bytes), true)
    }
    keep(route, bytes, 1)
    const timer = setTimeout(() => {
      waiting.delete(timer)
      keep(route, bytes, -1)
      sendAgain(route, bytes, endAt)
    }, afterMs)
    waiting.set(timer, { route, bytes })
  })
  const isFull = (bytes: number) =>
    held.messages >= SLEEPER_MESSAGES_MAX || held.bytes + bytes > SLEEPER_BYTES_MAX
  const keep = ({ isSleeper }: Route, { length }: Uint8Array, messages: 1 | -1) => {
    if (!isSleeper) return
    held.messages += messages
    held.bytes += messages * length
  }
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
      return waiting.size
    },
    giveUp() {
      for (const [timer, { route, bytes }] of waiting) {
        clearTimeout(timer)
        keep(route, bytes, -1)
        route.onDead(decodeEnvelope(bytes), false)
      }
      waiting.clear()
    },
    handOver: (route, envelope) => local.deliver(route.subject, envelope) && route.isLocal,
    hop(route, envelope, deadlineAt) {
      const data = encode(envelope, connection)
      const forMs = route.isRetried ? RETRY_FOR_MS : 0
      send(
        route,
        data,
        route.isSleeper ? deadlineAt : Math.min(deadlineAt, performance.now() + forMs),
      )
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
