import { type NatsAccess, toKreError } from '@kre/contracts/runtime'
import { type CoreMessage, createAccessSource, type Data, openCoreConnection } from '@kre/core-nats'
import { connectNats } from '@kre/service-kit/nats'
import type { NatsConnection } from '@nats-io/transport-node'

/**
 * The process's connections to NATS: one for requests and their answers, which all of this is about, and one of the
 * stock client for buckets and streams. What is published while the first one is down is lost, so callers ask `isUp`
 * first and are told when that changes.
 */
export type NatsLink = {
  isUp(): boolean
  /** Largest message the server takes, in bytes. */
  payloadBytesMax(): number
  /** Start of the subjects that answers come to. */
  readonly inboxPrefix: string
  /**
   * Only while `isUp`; otherwise the message is lost. Messages of one turn of the event loop share one write to the
   * socket, which is the larger part of what sending costs. Pieces over 256 KiB must not be changed afterwards.
   *
   * @returns false when NATS does not take it: it is too large, or too much waits for the server already.
   */
  publish(subject: string, data: Data, reply?: string): boolean
  /** Survives reconnects; may be called before the first connection. Returns the end of the subscription. */
  subscribe(subject: string, onMessage: (message: CoreMessage) => void): () => void
  /**
   * Starts connecting. Call it once, when everything is wired.
   *
   * @returns the stock connection, when both are there; null when the link was closed or lost before.
   */
  connect(events: NatsLinkEvents): Promise<NatsConnection | null>
  close(): Promise<void>
}

export type NatsLinkEvents = {
  /** After the subscriptions are in place, on the first connection and each later one. */
  onUp: () => void
  onDown: () => void
  /** A try to connect came to nothing: told once for each reason. */
  onFailed: (reason: Error) => void
  /** The stock connection is back: who watches buckets should look again. */
  onStoresBack: () => void
  /** A connection ended for good, for example because the credentials are refused. */
  onLost: (reason: unknown) => void
  /** Something is wrong that does not end it: a missing permission, a receiver that failed. */
  onError: (error: Error) => void
}

/** For what is left to send at the end; a server that is away is not waited for. */
const LAST_WORDS_MS = 500

export function createNatsLink(access: NatsAccess, name: string): NatsLink {
  const core = openCoreConnection(access, name)
  let stock: NatsConnection | null = null
  let isClosed = false

  const follow = async (connection: NatsConnection, events: NatsLinkEvents) => {
    for await (const status of connection.status())
      if (status.type === 'reconnect') events.onStoresBack()
  }

  return {
    inboxPrefix: core.inboxPrefix,
    isUp: () => core.isUp(),
    payloadBytesMax: () => core.maxPayload(),
    publish(subject, data, reply) {
      try {
        core.publish(subject, data, reply)
        return true
      } catch (error) {
        if (toKreError(error).code !== 'resource-exhausted') throw error
        return false
      }
    },
    subscribe(subject, onMessage) {
      const subscription = core.subscribe(subject, { onMessage })
      return () => subscription.unsubscribe()
    },
    async connect(events) {
      const { onUp, onDown, onFailed, onLost, onError } = events
      const source = createAccessSource(access, onError)
      const newest = () => {
        source.look()
        return source.current()
      }
      // What was under way to the streams is sent again by whoever sent it.
      const onRenewed = () => void stock?.reconnect()
      core.listen({ onUp, onDown, onFailed, onLost, onError, onRenewed })
      const isThere = await core.whenUp().then(
        () => true,
        () => false, // told by `onLost`
      )
      if (!isThere) return null
      stock = await connectNats(newest, `${name} stores`)
      if (isClosed) {
        await stock.close()
        return null
      }
      void follow(stock, events)
      void stock.closed().then((reason) => {
        if (!isClosed) onLost(reason)
      })
      return stock
    },
    async close() {
      isClosed = true
      const sent = Promise.allSettled([core.flush(), stock?.drain()])
      await Promise.race([
        sent,
        new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref()),
      ])
      core.close()
      await stock?.close()
    },
  }
}
