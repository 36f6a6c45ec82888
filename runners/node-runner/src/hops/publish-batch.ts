import type { NatsConnection } from '@nats-io/transport-node'

export type PublishBatch = {
  publish(subject: string, bytes: Uint8Array, reply?: string): void
  /** Hands over what waits; before the connection is flushed or closed. */
  readonly flush: () => void
}

/**
 * Collects what one turn of the event loop publishes and hands it over at once. The client library writes to the
 * socket after each callback otherwise, and every write wakes the broker.
 */
export function createPublishBatch(connection: NatsConnection): PublishBatch {
  let waiting: { subject: string; bytes: Uint8Array; reply: string | undefined }[] = []
  const flush = () => {
    const batch = waiting
    waiting = []
    if (connection.isClosed()) return
    for (const { subject, bytes, reply } of batch) {
      connection.publish(subject, bytes, reply === undefined ? {} : { reply })
    }
  }
  return {
    publish(subject, bytes, reply) {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ subject, bytes, reply })
    },
    flush,
  }
}
