/**
 * One wildcard inbox for all answers that a process waits for: bounces of published messages, acknowledgements,
 * replies. No subscription per message.
 */
import { randomUUID } from 'node:crypto'
import { KreError } from '@kre/contracts/runtime'
import type { CoreConnection } from './core-connection.ts'
import type { CoreMessage } from './parser.ts'

/** Tells reply subjects of sent messages from those of awaited answers. */
const BOUNCE = 'b'

export type Inbox = {
  /**
   * @param onBounce called when nobody listens to what was sent with a reply subject of that number.
   * @returns makes the reply subjects. Call it once.
   */
  listenForBounces(onBounce: (number: number) => void): (number: number) => string
  /** A reply subject for answers that are awaited until `forget`. */
  expect(onAnswer: (answer: CoreMessage) => void): { subject: string; forget(): void }
  /**
   * Sends and waits for one answer.
   *
   * @throws KreError `unavailable` when nobody listens, `deadline-exceeded` after `timeoutMs`.
   */
  request(
    subject: string,
    data: string | Uint8Array,
    timeoutMs: number,
    headers?: Readonly<Record<string, string>>,
  ): Promise<CoreMessage>
}

export function openInbox(connection: CoreConnection): Inbox {
  const prefix = `${connection.inboxPrefix}.${randomUUID().replaceAll('-', '')}`
  const awaited = new Map<string, (answer: CoreMessage) => void>()
  let onBounce: ((number: number) => void) | null = null
  let sequence = 0

  connection.subscribe(`${prefix}.*`, {
    onMessage(message) {
      const token = message.subject.slice(prefix.length + 1)
      const waiting = awaited.get(token)
      if (waiting !== undefined) return waiting(message)
      if (token.startsWith(BOUNCE) && isNoListener(message))
        onBounce?.(Number.parseInt(token.slice(BOUNCE.length), 36))
    },
  })

  const inbox: Inbox = {
    listenForBounces(listener) {
      onBounce = listener
      const start = `${prefix}.${BOUNCE}`
      return (number) => start + number.toString(36)
    },
    expect(onAnswer) {
      const token = `a${(++sequence).toString(36)}`
      awaited.set(token, onAnswer)
      return { subject: `${prefix}.${token}`, forget: () => void awaited.delete(token) }
    },
    async request(subject, data, timeoutMs, headers) {
      const { promise, resolve, reject } = Promise.withResolvers<CoreMessage>()
      const waiting = inbox.expect((answer) => {
        if (!isNoListener(answer)) return resolve(answer)
        reject(new KreError('unavailable', `nobody answers on ${subject}`, { subject }))
      })
      const timer = setTimeout(() => {
        const text = `no answer on ${subject} within ${timeoutMs} ms`
        reject(new KreError('deadline-exceeded', text, { subject, timeoutMs }))
      }, timeoutMs)
      try {
        const block = headers === undefined ? undefined : headerBlock(headers)
        connection.publish(subject, Buffer.from(data), waiting.subject, block)
        return await promise
      } finally {
        clearTimeout(timer)
        waiting.forget()
      }
    },
  }
  return inbox
}

/** As they travel. Names and values are ours: nothing of a user is among them. */
function headerBlock(headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`)
}

/** Whether the broker says that the subject has no subscriber. */
export function isNoListener(message: CoreMessage): boolean {
  return message.data.length === 0 && message.status === 503
}

/** @throws SyntaxError for what is no JSON. */
export function parseAnswer(answer: CoreMessage): unknown {
  return JSON.parse(Buffer.from(answer.data).toString())
}
