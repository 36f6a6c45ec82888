/**
 * The other replicas of a node. The broker picks one for each message at random, blind to who is busy. So replicas with
 * free slots subscribe to a further subject, and take as many messages there as they have slots: these are credits. A
 * replica with more than it can handle sends there, and gets back what nobody has a credit for.
 */
import { randomUUID } from 'node:crypto'
import {
  encodeEnvelope,
  spareNoticeSubject,
  spareSubject,
  toKreError,
  type Envelope,
  type NodeRef,
} from '@kre/contracts/runtime'
import type { CoreConnection, CoreMessage, CoreSubscription, Inbox } from '@kre/core-nats'

/** Says that a message was taken. Not having bounced says nothing: whoever listens in keeps it from that. */
const TAKEN = new Uint8Array(0)
/** The credit was spent before the broker knew. */
const BUSY = Buffer.from('busy')
/** A replica that has a credit answers at once, unless its handler keeps its process busy. */
const ANSWER_MS = 1_000

export type Siblings = {
  /** Whether a replica may have a free slot, as far as is known. */
  readonly mayBeFree: boolean
  /** Sends a message to a replica with a free slot. @returns false when there is none. */
  handOver(envelope: Envelope): Promise<boolean>
  /** How many messages of others this replica takes. Without others nothing happens. */
  offer(slots: number): void
  /** Resolves when what is under way to this replica is here; it takes nothing more. */
  close(): Promise<void>
}

/**
 * @param asArrived the message as this replica got it.
 * @param onMessage a message that waited at another replica.
 * @param onFree another replica may have a free slot.
 */
export function findSiblings(
  node: NodeRef,
  connection: CoreConnection,
  inbox: Inbox,
  {
    asArrived,
    onMessage,
    onFree,
  }: {
    asArrived: (envelope: Envelope) => Envelope
    onMessage: (message: CoreMessage) => void
    onFree: () => void
  },
): Siblings {
  const [subject, noticeSubject] = [spareSubject(node), spareNoticeSubject(node)]
  const own = Buffer.from(randomUUID())
  let areThere = false
  let mayBeFree = false
  let noticesHeard = 0
  let credits = 0
  let spare: CoreSubscription | null = null
  let isClosed = false

  const heard = () => {
    areThere = true
    mayBeFree = true
    noticesHeard++
    onFree()
  }
  const answers = inbox.expect(heard)
  /** Notices are given once: who is new, or was away, asks who is there. */
  const ask = () => connection.publish(noticeSubject, own, answers.subject)
  const notify = () => connection.publish(noticeSubject, own)
  const notices = connection.subscribe(noticeSubject, {
    onMessage({ data, reply }) {
      if (own.equals(data)) return
      if (reply !== '' && !isClosed) connection.publish(reply, own)
      heard()
    },
  })
  ask()
  const take = (message: CoreMessage) => {
    const isBusy = credits === 0
    connection.publish(message.reply, isBusy ? BUSY : TAKEN)
    if (isBusy) return
    if (--credits === 0) end()
    onMessage(message)
  }
  /** What is under way is still answered: its sender waits for that. */
  const end = () => {
    void spare?.drain()
    spare = null
  }
  const forget = connection.listen({ onUp: ask })

  return {
    get mayBeFree() {
      return mayBeFree
    },
    async handOver(envelope) {
      const bytes = encodeEnvelope(asArrived(envelope))
      if (bytes.length > connection.maxPayload()) return false
      const heardBefore = noticesHeard
      try {
        const answer = await inbox.request(subject, bytes, ANSWER_MS)
        return answer.data.length === TAKEN.length
      } catch (error) {
        // Without an answer nothing is known of it: better twice than never.
        // A notice that came meanwhile may be newer than the answer: it is given once, so it counts.
        if (toKreError(error).code === 'unavailable' && noticesHeard === heardBefore)
          mayBeFree = false
        return false
      }
    },
    offer(slots) {
      if (!areThere || isClosed) return
      const isOffering = credits > 0
      credits = slots
      if (slots > 0 === isOffering) return
      if (isOffering) return end()
      spare = connection.subscribe(subject, { queue: node.node, onMessage: take })
      notify()
    },
    async close() {
      isClosed = true
      forget()
      answers.forget()
      await Promise.all([notices.drain(), spare?.drain()])
    },
  }
}
