import type { Msg } from '@nats-io/transport-node'
import { nanos } from '@nats-io/transport-node'
import { STORED_REPLY_HEADER } from '@kre/contracts'
import { isReplySubject } from './reply-subject.ts'

/** One delivery of a message of a stream: to be answered once, by `ack`, `nak` or `term`. */
export type Delivery = {
  readonly subject: string
  readonly data: Uint8Array
  /** The same on every delivery of the message. */
  readonly messageId: string
  /** 1 for the first delivery. */
  readonly attempt: number
  /** Where the sender waits for a `StoredReply`; null = nobody waits, or not at a place for replies. */
  readonly storedReply: string | null
  ack(): void
  /** Back into the stream, to be delivered again after `delayMs`. */
  nak(delayMs: number): void
  /** Never again. */
  term(): void
}

/** What a JetStream message says in its reply subject; null = no message of a stream. */
export function toDelivery(msg: Msg): Delivery | null {
  const info = parseAckSubject(msg.reply ?? '')
  if (info === null) return null
  const wanted = msg.headers?.get(STORED_REPLY_HEADER) ?? ''
  return {
    subject: msg.subject,
    data: msg.data,
    messageId: info.messageId,
    attempt: info.attempt,
    storedReply: isReplySubject(wanted) ? wanted : null,
    ack: () => void msg.respond('+ACK'),
    nak: (delayMs) => void msg.respond(`-NAK ${JSON.stringify({ delay: nanos(delayMs) })}`),
    term: () => void msg.respond('+TERM'),
  }
}

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`,
 * newer servers put domain and account after `ACK` and more at the end.
 */
export function parseAckSubject(subject: string): { messageId: string; attempt: number } | null {
  const tokens = subject.split('.')
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return null
  const [stream, , deliveries, sequence, , time] = tokens.slice(tokens.length === 9 ? 2 : 4)
  const attempt = Number(deliveries)
  if (!Number.isInteger(attempt) || time === undefined) return null
  // A stream that is made anew counts from 1 again, so the time belongs to the identity.
  return { messageId: `${stream}/${sequence}@${time}`, attempt }
}
