/**
 * Records on their way into the version's outputs stream. A record counts as sent when the stream has it.
 * Never in the way of a request: handlers wait only for what they ask to be stored.
 */
import {
  KreError,
  MiB,
  outputSubject,
  STORED_REPLY_HEADER,
  toKreError,
  type LogBatch,
  type NodeLaunch,
  type OutputRecord,
} from '@kre/contracts/runtime'
import {
  type CoreConnection,
  type CoreMessage,
  isNoListener,
  parseAnswer,
  type Inbox,
} from '@kre/core-nats'

/** While the broker is away, so many records wait; the oldest ones are dropped then. */
const WAITING_MAX = 10_000
const WAITING_BYTES_MAX = 16 * MiB
/** Enough to keep the stream busy over one round trip. */
const IN_FLIGHT_MAX = 256
/** … and, beyond a first one, so many bytes: the server may be slower than nodes are. */
const IN_FLIGHT_BYTES_MAX = 4 * MiB
const ACK_TIMEOUT_MS = 5_000
const TRIES_MAX = 5
const RETRY_AFTER_MS = 250

type Item = {
  subject: string
  text: string
  storedReply: string
  /** Lost with it. */
  records: number
  tries: number
  settle: { resolve(): void; reject(error: KreError): void } | null
}

export type Outbox = {
  /** Resolves when the stream has the record. @throws KreError `unavailable`, `resource-exhausted` when it is full. */
  send(record: OutputRecord, storedReply?: string): Promise<void>
  /** Sends when there is time; may be dropped and counted when the broker is away for long. */
  post(record: OutputRecord | LogBatch): void
  /** Waits until everything is sent, at most `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
}

export function createOutbox(
  launch: NodeLaunch,
  connection: CoreConnection,
  inbox: Inbox,
  onDropped: (records: number) => void,
): Outbox {
  let waiting: Item[] = []
  /** Those that are tried again when the timer rings; they wait like the others. */
  let again: Item[] = []
  let retryTimer: NodeJS.Timeout | undefined
  /** Of both. */
  let waitingBytes = 0
  let inFlight = 0
  let inFlightBytes = 0
  let scheduled = false
  const onEmpty = new Set<() => void>()
  const isEmpty = () => waiting.length === 0 && again.length === 0 && inFlight === 0

  const hasRoom = () => inFlight < IN_FLIGHT_MAX && inFlightBytes < IN_FLIGHT_BYTES_MAX
  const schedule = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(pump)
  }
  const pump = () => {
    scheduled = false
    let at = 0
    while (connection.isUp() && hasRoom() && at < waiting.length) publish(waiting[at++] as Item)
    if (at > 0) waiting = waiting.slice(at)
    if (!isEmpty()) return
    for (const tell of onEmpty) tell()
    onEmpty.clear()
  }
  const publish = (item: Item) => {
    waitingBytes -= item.text.length
    inFlight++
    inFlightBytes += item.text.length
    item.tries++
    const end = (error: KreError | null) => {
      clearTimeout(timer)
      answer.forget()
      inFlight--
      inFlightBytes -= item.text.length
      if (error === null) item.settle?.resolve()
      else if (item.tries < TRIES_MAX) retryLater(item)
      else giveUp(item, error)
      schedule()
    }
    const answer = inbox.expect((message) => end(refusal(message)))
    const timer = setTimeout(
      () => end(unavailable(`the outputs stream did not answer within ${ACK_TIMEOUT_MS} ms`)),
      ACK_TIMEOUT_MS,
    )
    try {
      const data = Buffer.from(item.text)
      // Waiting makes it no smaller; all else that is in the way may go.
      if (data.length > connection.maxPayload()) item.tries = TRIES_MAX
      connection.publish(item.subject, data, answer.subject, headersOf(item))
    } catch (error) {
      end(unavailable(`the record can't be sent: ${toKreError(error).message}`))
    }
  }
  const giveUp = ({ settle, records }: Item, error: KreError) => {
    if (settle === null) onDropped(records)
    else settle.reject(error)
  }
  const retryLater = (item: Item) => {
    again.push(item)
    waitingBytes += item.text.length
    trim()
    retryTimer ??= setTimeout(() => {
      retryTimer = undefined
      waiting = [...again, ...waiting]
      again = []
      schedule()
    }, RETRY_AFTER_MS)
  }
  const enqueue = (item: Item) => {
    waiting.push(item)
    waitingBytes += item.text.length
    trim()
    schedule()
  }
  const trim = () => {
    while (waiting.length + again.length > WAITING_MAX || waitingBytes > WAITING_BYTES_MAX) {
      const oldest = again.shift() ?? waiting.shift()
      if (oldest === undefined) return
      waitingBytes -= oldest.text.length
      giveUp(oldest, unavailable('too many records wait for the broker'))
    }
  }
  const itemOf = (
    record: OutputRecord | LogBatch,
    storedReply: string,
    settle: Item['settle'],
  ): Item => ({
    subject: outputSubject(launch, launch.workflow, record.kind === 'logs' ? 'log' : record.kind),
    text: JSON.stringify(record),
    records: record.kind === 'logs' ? record.lines.length : 1,
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
      if (isEmpty()) return
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
  if (isNoListener(message)) return unavailable('the version has no outputs stream')
  try {
    const { error } = parseAnswer(message) as { error?: { description?: string } }
    return error === undefined ? null : refused(error.description ?? 'without a reason')
  } catch (error) {
    return unavailable(`the outputs stream's answer can't be read: ${toKreError(error).message}`)
  }
}

/** What is in a full stream stays; the newest record is the one that is refused. */
function refused(reason: string): KreError {
  if (!/maximum|insufficient|limit|no space/i.test(reason))
    return unavailable(`the outputs stream refuses: ${reason}`)
  return new KreError(
    'resource-exhausted',
    `the version's outputs stream is full (${reason}): what is in it waits for the store. Look in the engine's log why that does not take it, or send less`,
  )
}

function unavailable(text: string): KreError {
  return new KreError('unavailable', text)
}
