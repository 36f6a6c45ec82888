/**
 * From one session to the next, while both are there: nothing is lost, and nothing overtakes what was sent before it.
 * The server answers a ping after all that it was sent, and has sent, before: so what is published after the next session
 * has its subscriptions waits for that answer of the former one, and so does what the next one brings. Messages to
 * subscriptions without a queue may come twice in that moment, one after the other. Those to a queue come once, but the
 * process is two of the queue then, which have no order among each other.
 */
import { KreError, SECOND_MS } from '@kre/contracts/runtime'
import { bytesOf, type Data } from './outgoing.ts'
import type { CoreMessage } from './parser.ts'
import type { Session } from './session.ts'

/** A former session that does not answer for so long is left, and also when `waitingBytesMax` wait for its answer. */
const ANSWER_MS = 5 * SECOND_MS

export type HandOver = {
  readonly next: Session
  /** The next session has its subscriptions. @returns whether the former one answered; then all is handed over. */
  begin(former: Session, unsubscribe: string): Promise<boolean>
  /** Whether what is published has to wait. */
  readonly isHolding: boolean
  /** @throws KreError `resource-exhausted` when too much waits. */
  publish(subject: string, reply: string, data: Data, headers: Uint8Array | null): void
  /** A message of the next session. */
  receive(sid: number, message: CoreMessage): void
  /** Hands over what waited; what comes from now on does not. */
  release(): void
  /** The next session has ended: what waited is lost. */
  abandon(): void
  /** Resolves when nothing waits any more. */
  readonly over: Promise<void>
}

type Outgoing = Parameters<Session['message']>

export function createHandOver(
  next: Session,
  deliver: (sid: number, message: CoreMessage) => void,
  waitingBytesMax: number,
): HandOver {
  const over = Promise.withResolvers<void>()
  /** Why the former session's answer is not waited for any longer. */
  const late = Promise.withResolvers<boolean>()
  let incoming: [number, CoreMessage][] = []
  let incomingBytes = 0
  let outgoing: Outgoing[] = []
  let outgoingBytes = 0
  let isHolding = false

  return {
    next,
    get isHolding() {
      return isHolding
    },
    async begin(former, unsubscribe) {
      isHolding = true
      former.lines(unsubscribe)
      const timer = setTimeout(() => late.resolve(false), ANSWER_MS)
      const answered = former.roundTrip().then(
        () => true,
        () => false,
      )
      const isWhole = await Promise.race([answered, late.promise])
      clearTimeout(timer)
      return isWhole
    },
    publish(subject, reply, data, headers) {
      const bytes = bytesOf(data) + (headers?.length ?? 0)
      if (outgoingBytes + bytes > waitingBytesMax) {
        const text = `more than ${waitingBytesMax} bytes wait for the NATS server: it does not read`
        throw new KreError('resource-exhausted', text, { bytes })
      }
      outgoingBytes += bytes
      // A copy, because the sender may change its bytes.
      outgoing.push([
        subject,
        reply,
        Buffer.concat(data instanceof Uint8Array ? [data] : data),
        headers,
      ])
    },
    receive(sid, message) {
      incoming.push([sid, message])
      incomingBytes += message.data.length
      if (incomingBytes > waitingBytesMax) late.resolve(false)
    },
    release() {
      isHolding = false
      const [received, held] = [incoming, outgoing]
      incoming = []
      outgoing = []
      // First what was published before what the receivers publish now.
      for (const message of held) next.message(...message)
      for (const [sid, message] of received) deliver(sid, message)
      over.resolve()
    },
    abandon() {
      isHolding = false
      over.resolve()
    },
    over: over.promise,
  }
}
