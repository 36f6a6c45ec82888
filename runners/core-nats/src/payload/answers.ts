/** Questions to the server and their answers, over one wildcard inbox. */
import { randomUUID } from 'node:crypto'
import { KreError } from '@kre/contracts/runtime'
import type { CoreMessage } from '../parser.ts'

const NO_RESPONDERS = 503

/** The part of a connection that claims need. */
export type ClaimTransport = {
  /** @returns false, or throws, when the message is not taken. */
  publish(subject: string, data: Uint8Array, reply: string): boolean | void
  subscribe(subject: string, onMessage: (message: CoreMessage) => void): void
  maxPayload(): number
  /** Start of the subjects that answers come to; absent = `_INBOX`. */
  readonly inboxPrefix?: string
}

export type Answers = {
  /** @throws KreError `unavailable` when nobody answers, or not in time. */
  ask(subject: string, data: Uint8Array): Promise<CoreMessage>
}

/** Subscribes with the first question: most processes never ask one. */
export function createAnswers(
  transport: Pick<ClaimTransport, 'publish' | 'subscribe' | 'inboxPrefix'>,
  timeoutMs: number,
): Answers {
  const prefix = `${transport.inboxPrefix ?? '_INBOX'}.${randomUUID().replaceAll('-', '')}.`
  const waiting = new Map<string, (answer: CoreMessage) => void>()
  let isOpen = false
  let sequence = 0

  const open = () => {
    if (isOpen) return
    isOpen = true
    transport.subscribe(`${prefix}*`, (message) =>
      waiting.get(message.subject.slice(prefix.length))?.(message),
    )
  }

  return {
    async ask(subject, data) {
      open()
      const token = (++sequence).toString(36)
      const { promise, resolve, reject } = Promise.withResolvers<CoreMessage>()
      const timer = setTimeout(
        () => reject(unanswered(subject, `no answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      waiting.set(token, resolve)
      try {
        if (transport.publish(subject, data, prefix + token) === false)
          throw unanswered(subject, 'too much waits for it already')
        const answer = await promise
        if (answer.status === NO_RESPONDERS)
          throw unanswered(subject, 'it has no such bucket. Restart the engine, which makes it')
        return answer
      } finally {
        clearTimeout(timer)
        waiting.delete(token)
      }
    },
  }
}

function unanswered(subject: string, why: string): KreError {
  return new KreError(
    'unavailable',
    `the NATS server does not work for large payloads (${subject}): ${why}`,
    { subject },
  )
}
