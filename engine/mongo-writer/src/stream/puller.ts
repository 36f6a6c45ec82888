import { createInbox, nanos, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { KreError } from '@kre/contracts'
import { toDelivery, type Delivery } from './delivery.ts'

type PullRequest = {
  messagesMax: number
  /** A message larger than this is not delivered; absent = any size. */
  bytesMax?: number
  /** How long to wait for the first message; 0 = take what is there. */
  waitMs: number
}

export type PullResult = {
  messages: Delivery[]
  /** Set when stream or consumer don't exist, or nothing answers for them. */
  missing: string | null
}

export type Puller = {
  /** One request at a time. Ends early when the signal is aborted. */
  pull(request: PullRequest, signal: AbortSignal): Promise<PullResult>
  /** Ends a request that waits: with the connection the server has lost it. */
  interrupt(): void
  /** Stops receiving. Deliveries that nobody took go back at once. */
  stop(): void
}

/** How long after its own end the server's answer may take. A reconnection costs at most this and `waitMs`. */
const ANSWER_GRACE_MS = 500

type Pending = {
  token: string
  want: number
  got: Delivery[]
  finish: (missing: string | null) => void
}

/**
 * Pulls from a durable consumer by hand: the client library's `fetch` can't bound messages and bytes together,
 * and loses what arrives between two of its calls until the server delivers it again. Here one subscription
 * lives as long as the puller, and whatever arrives late is in the next batch.
 */
export function createPuller(nats: NatsConnection, stream: string, consumer: string): Puller {
  const inbox = createInbox()
  const late: Delivery[] = []
  let pending: Pending | null = null
  let serial = 0

  const receive = (msg: Msg): void => {
    if (msg.subject.startsWith(`${inbox}.`)) {
      if (pending !== null && msg.subject === `${inbox}.${pending.token}`)
        readStatus(msg, pending.finish)
      return
    }
    const delivery = toDelivery(msg)
    if (delivery === null) return
    if (pending === null) {
      late.push(delivery)
      return
    }
    pending.got.push(delivery)
    if (pending.got.length >= pending.want) pending.finish(null)
  }
  const subscription = nats.subscribe(`${inbox}.*`, {
    callback: (error, msg) => {
      if (error === null) receive(msg)
      else pending?.finish(`not allowed to receive: ${error.message}`)
    },
  })

  return {
    async pull(request, signal) {
      if (pending !== null) throw new KreError('internal', 'one pull at a time')
      const got = late.splice(0, request.messagesMax)
      if (got.length > 0 || signal.aborted) return { messages: got, missing: null }
      const token = String(++serial)
      const answered = new Promise<string | null>((resolve) => {
        pending = { token, want: request.messagesMax, got, finish: resolve }
      })
      const finish = (): void => pending?.finish(null)
      const timer = setTimeout(finish, request.waitMs + ANSWER_GRACE_MS)
      signal.addEventListener('abort', finish, { once: true })
      try {
        nats.publish(
          `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
          JSON.stringify({
            batch: request.messagesMax,
            ...(request.bytesMax === undefined ? {} : { max_bytes: request.bytesMax }),
            ...(request.waitMs === 0 ? { no_wait: true } : { expires: nanos(request.waitMs) }),
          }),
          { reply: `${inbox}.${token}` },
        )
        const missing = await answered
        return { messages: got, missing: got.length > 0 ? null : missing }
      } finally {
        pending = null
        clearTimeout(timer)
        signal.removeEventListener('abort', finish)
      }
    },
    interrupt: () => pending?.finish(null),
    stop() {
      subscription.unsubscribe()
      for (const delivery of late.splice(0)) delivery.nak(0)
    },
  }
}

function readStatus(msg: Msg, finish: (missing: string | null) => void): void {
  const code = msg.headers?.code ?? 0
  const description = msg.headers?.description ?? ''
  // Heartbeats and flow control.
  if (code === 100) return
  if (code === 503) finish('no stream or consumer of the name')
  else if (code === 409 && /deleted/i.test(description)) finish(description)
  else if (code === 400) finish(`the server refused the pull: ${description}`)
  // 404 nothing there, 408 expired, 409 next message too large, leadership changed: the request is over.
  else finish(null)
}
