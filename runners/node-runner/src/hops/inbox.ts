/**
 * One wildcard inbox for all answers that the process waits for: bounces of published messages, acknowledgements,
 * replies. No subscription per message.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { KreError } from '@kre/contracts/runtime'

/** So often, at most, the broker is asked whether all bounces have come: it answers pings after what was before them. */
const BOUNCE_CHECK_MS = 20
/** Most bytes of sent messages that are kept for the case that they bounce. */
const BOUNCE_BYTES_MAX = 32 * 1024 * 1024

export type Inbox = {
  /** A reply subject whose only possible answer is "nobody listens"; `onBounce` is then called. */
  bounce(bytes: number, onBounce: () => void): string
  /** A reply subject for answers that are awaited until `forget`. */
  expect(onAnswer: (answer: Msg) => void): { subject: string; forget(): void }
  /**
   * Sends and waits for one answer.
   *
   * @throws KreError `unavailable` when nobody listens, `deadline-exceeded` after `timeoutMs`.
   */
  request(subject: string, data: string, timeoutMs: number): Promise<Msg>
}

export function openInbox(connection: NatsConnection): Inbox {
  const prefix = createInbox()
  const awaited = new Map<string, (answer: Msg) => void>()
  // A message whose bounce has not come when a later ping is answered was taken. Two generations: the old one waits
  // for the answer, the young one for the next ping. One timer for all, and none while nothing is sent.
  let young = new Map<string, () => void>()
  let old = new Map<string, () => void>()
  let keptBytes = 0
  let checking = false

  const check = async () => {
    while (young.size > 0) {
      await sleep(BOUNCE_CHECK_MS, undefined, { ref: false })
      old = young
      young = new Map()
      keptBytes = 0
      // While the connection is away nothing can bounce; senders notice by the deadline.
      await connection.flush().catch(() => undefined)
      old = new Map()
    }
    checking = false
  }
  let sequence = 0

  connection.subscribe(`${prefix}.*`, {
    callback: (error, message) => {
      if (error !== null) return
      const token = message.subject.slice(prefix.length + 1)
      const waiting = awaited.get(token)
      if (waiting !== undefined) return waiting(message)
      const onBounce = young.get(token) ?? old.get(token)
      if (onBounce === undefined || !isNoListener(message)) return
      young.delete(token)
      old.delete(token)
      onBounce()
    },
  })

  const inbox: Inbox = {
    bounce(bytes, onBounce) {
      const token = (++sequence).toString(36)
      keptBytes += bytes
      if (keptBytes > BOUNCE_BYTES_MAX) {
        young = new Map()
        keptBytes = bytes
      }
      young.set(token, onBounce)
      if (!checking) {
        checking = true
        void check()
      }
      return `${prefix}.${token}`
    },
    expect(onAnswer) {
      const token = (++sequence).toString(36)
      awaited.set(token, onAnswer)
      return { subject: `${prefix}.${token}`, forget: () => void awaited.delete(token) }
    },
    async request(subject, data, timeoutMs) {
      const { promise, resolve, reject } = Promise.withResolvers<Msg>()
      const waiting = inbox.expect((answer) => {
        if (!isNoListener(answer)) return resolve(answer)
        reject(new KreError('unavailable', `nobody answers on ${subject}`, { subject }))
      })
      const timer = setTimeout(() => {
        const text = `no answer on ${subject} within ${timeoutMs} ms`
        reject(new KreError('deadline-exceeded', text, { subject, timeoutMs }))
      }, timeoutMs)
      try {
        connection.publish(subject, data, { reply: waiting.subject })
        return await promise
      } finally {
        clearTimeout(timer)
        waiting.forget()
      }
    },
  }
  return inbox
}

/** Whether the broker says that the subject has no subscriber. */
export function isNoListener(message: Msg): boolean {
  return message.data.length === 0 && message.headers?.code === 503
}
