/**
 * Records on their way into the runtime's outputs stream. A record counts as sent when the stream has it.
 * Never in the way of a request: handlers wait only for what they ask to be stored.
 */
import {
  KreError,
  MiB,
  outputSubject,
  STORED_REPLY_HEADER,
  type NodeLaunch,
  type OutputRecord,
} from '@kre/contracts/runtime'
import type { CoreConnection, CoreMessage } from '@kre/core-nats'
import { isNoListener, parseAnswer, type Inbox } from '../hops/inbox.ts'

/** While the broker is away, so many records wait; the oldest ones that nobody waits for are dropped then. */
const WAITING_MAX = 10_000
const WAITING_BYTES_MAX = 16 * MiB
/** Enough to keep the stream busy over one round trip. */
const IN_FLIGHT_MAX = 256
const ACK_TIMEOUT_MS = 5_000
const TRIES_MAX = 5
const RETRY_AFTER_MS = 250

type Item = {
  subject: string
  text: string
  storedReply: string
  tries: number
  settle: { resolve(): void; reject(error: KreError): void } | null
}

export type Outbox = {
  /** Resolves when the stream has the record. @throws KreError `unavailable`. */
  send(record: OutputRecord, storedReply?: string): Promise<void>
  /** Sends when there is time; may be dropped and counted when the broker is away for long. */
  post(record: OutputRecord): void
  /** Waits until everything is sent, at most `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
}

export function createOutbox(
  launch: NodeLaunch,
  connection: CoreConnection,
  inbox: Inbox,
  onDropped: () => void,
): Outbox {
  let waiting: Item[] = []
  let waitingBytes = 0
  let inFlight = 0
  let scheduled = false
  const onEmpty = new Set<() => void>()

  const schedule = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(pump)
  }
  const pump = () => {
    scheduled = false
    let at = 0
    while (connection.isUp() && inFlight < IN_FLIGHT_MAX && at < waiting.length)
      publish(waiting[at++] as Item)
    if (at > 0) waiting = waiting.slice(at)
    if (waiting.length === 0 && inFlight === 0) for (const tell of onEmpty) tell()
  }
  const publish = (item: Item) => {
    waitingBytes -= item.text.length
    inFlight++
    item.tries++
    const end = (error: KreError | null) => {
      clearTimeout(timer)
      answer.forget()
      inFlight--
      if (error === null) item.settle?.resolve()
      else if (item.tries < TRIES_MAX) setTimeout(() => enqueue(item), RETRY_AFTER_MS)
      else if (item.settle === null) onDropped()
      else item.settle.reject(error)
      schedule()
    }
    const answer = inbox.expect((message) => end(refusal(message)))
    const timer = setTimeout(
      () => end(unavailable(`the outputs stream did not answer within ${ACK_TIMEOUT_MS} ms`)),
      ACK_TIMEOUT_MS,
    )
    try {
      connection.publish(item.subject, Buffer.from(item.text), answer.subject, headersOf(item))
    } catch (error) {
      item.tries = TRIES_MAX
      end(
        unavailable(
          `the record can't be sent: ${error instanceof Error ? error.message : String(error)}`,
        ),
      )
    }
  }
  const enqueue = (item: Item) => {
    waiting.push(item)
    waitingBytes += item.text.length
    while (waiting.length > WAITING_MAX || waitingBytes > WAITING_BYTES_MAX) {
      const oldest = waiting.shift()
      if (oldest === undefined) break
      waitingBytes -= oldest.text.length
      if (oldest.settle === null) onDropped()
      else oldest.settle.reject(unavailable('too many records wait for the broker'))
    }
    schedule()
  }
  const itemOf = (record: OutputRecord, storedReply: string, settle: Item['settle']): Item => ({
    subject: outputSubject(launch, launch.workflow, record.kind),
    text: JSON.stringify(record),
    storedReply,
    tries: 0,
    settle,
  })
  connection.listen({ onUp: schedule })

  return {
    send(record, storedReply = '') {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      enqueue(itemOf(record, storedReply, { resolve, reject }))
      return promise
    },
    post: (record) => enqueue(itemOf(record, '', null)),
    async flush(timeoutMs) {
      if (waiting.length === 0 && inFlight === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        onEmpty.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    },
  }
}

function headersOf({ storedReply }: Item): Uint8Array | undefined {
  if (storedReply === '') return undefined
  return Buffer.from(`NATS/1.0\r\n${STORED_REPLY_HEADER}: ${storedReply}\r\n\r\n`)
}

/** Null when the stream has taken the record. */
function refusal(message: CoreMessage): KreError | null {
  if (isNoListener(message)) return unavailable('the runtime has no outputs stream')
  const { error } = parseAnswer(message) as { error?: { description?: string } }
  return error === undefined
    ? null
    : unavailable(`the outputs stream refuses: ${error.description ?? 'without a reason'}`)
}

function unavailable(text: string): KreError {
  return new KreError('unavailable', text)
}
