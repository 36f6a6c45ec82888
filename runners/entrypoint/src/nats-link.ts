import type { NatsAccess } from '@kre/contracts/runtime'
import { connectNats } from '@kre/service-kit/nats'
import type { Msg, NatsConnection } from '@nats-io/transport-node'

/**
 * The process's connection to NATS. The client library silently drops what is published while it is disconnected,
 * so callers ask `isUp` first and are told when that changes.
 */
export type NatsLink = {
  isUp(): boolean
  /** Largest message the server takes, in bytes. */
  payloadBytesMax(): number
  /**
   * Only while `isUp`; otherwise the message is lost. Messages of one turn of the event loop share one write to the
   * socket, which is the larger part of what sending costs.
   */
  publish(subject: string, data: Uint8Array, reply?: string): void
  /** Survives reconnects; may be called before the first connection. Returns the end of the subscription. */
  subscribe(subject: string, onMessage: (message: Msg) => void): () => void
  /** Starts connecting; resolves with the first connection. Call it once, when everything is wired. */
  connect(events: NatsLinkEvents): Promise<NatsConnection>
  close(): Promise<void>
}

export type NatsLinkEvents = {
  /** After the subscriptions are in place, on the first connection and each later one. */
  onUp: () => void
  onDown: () => void
  /** The connection ended for good, for example because the credentials are refused. */
  onLost: (reason: unknown) => void
}

type Outgoing = { subject: string; data: Uint8Array; reply: string }
type Wanted = {
  subject: string
  onMessage: (message: Msg) => void
  unsubscribe: (() => void) | null
}

export function createNatsLink(access: NatsAccess, name: string): NatsLink {
  let nats: NatsConnection | null = null
  let isUp = false
  let isClosed = false
  const wanted = new Set<Wanted>()
  let outgoing: Outgoing[] = []

  const flush = () => {
    const messages = outgoing
    outgoing = []
    // Lost like everything that is under way when a connection ends; its senders hear of that by `onUp`.
    if (nats === null || !isUp || nats.isClosed()) return
    const bytesMax = nats.info?.max_payload ?? 0
    for (const { subject, data, reply } of messages)
      if (data.length <= bytesMax) nats.publish(subject, data, { reply })
  }

  const bind = (connection: NatsConnection, each: Wanted) => {
    const subscription = connection.subscribe(each.subject, {
      callback: (error, message) => {
        // An error ends the subscription with the connection; the link's owner hears of that by `onDown`.
        if (error === null) each.onMessage(message)
      },
    })
    each.unsubscribe = () => subscription.unsubscribe()
  }

  const watch = async (connection: NatsConnection, events: NatsLinkEvents) => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' && isUp) {
        isUp = false
        events.onDown()
      } else if (status.type === 'reconnect' && !isUp) {
        isUp = true
        events.onUp()
      }
    }
  }

  return {
    isUp: () => isUp,
    payloadBytesMax: () => nats?.info?.max_payload ?? 0,
    publish(subject, data, reply = '') {
      if (outgoing.length === 0) setImmediate(flush)
      outgoing.push({ subject, data, reply })
    },
    subscribe(subject, onMessage) {
      const each: Wanted = { subject, onMessage, unsubscribe: null }
      wanted.add(each)
      if (nats !== null) bind(nats, each)
      return () => {
        wanted.delete(each)
        each.unsubscribe?.()
      }
    },
    async connect(events) {
      const connection = await connectNats(access, name)
      if (isClosed) {
        await connection.close()
        return connection
      }
      nats = connection
      for (const each of wanted) bind(connection, each)
      void watch(connection, events)
      void connection.closed().then((reason) => {
        isUp = false
        if (!isClosed) events.onLost(reason)
      })
      isUp = true
      events.onUp()
      return connection
    },
    async close() {
      flush()
      isClosed = true
      isUp = false
      if (nats === null) return
      // Flushes what was published; a server that is away is not waited for.
      const flushed = nats.drain().catch(() => undefined)
      await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, 500).unref())])
      await nats.close()
    },
  }
}
