import { type OutputRecord, outputSubject } from '@kre/contracts/runtime'
import { jetstream, type JetStreamClient } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type { NatsLink } from '../nats-link.ts'
import type { ServedVersion } from '../versions/served-version.ts'

/** Records on their way to the outputs stream; more are dropped, as logs must never cost requests. */
const IN_FLIGHT_MAX = 256

export type OutputPublisher = {
  connect(nats: NatsConnection): void
  /** Never waits. `workflow` null: the version's own. */
  post(version: ServedVersion, workflow: string | null, record: OutputRecord): void
  /** Until everything is stored or `withinMs` is over. */
  flush(withinMs: number): Promise<void>
  /** Records that were not stored: NATS was away, or the stream refused them. */
  dropped(): number
}

export function createOutputPublisher(link: NatsLink): OutputPublisher {
  let client: JetStreamClient | null = null
  let dropped = 0
  const inFlight = new Set<Promise<void>>()

  return {
    connect(nats) {
      client = jetstream(nats)
    },
    post(version, workflow, record) {
      if (client === null || !link.isUp() || inFlight.size >= IN_FLIGHT_MAX) {
        dropped++
        return
      }
      const subject = outputSubject(version.ref, workflow, record.kind)
      const data = Buffer.from(JSON.stringify(record))
      const publish = client.publish.bind(client)
      const send = () => publish(subject, data, { msgID: record.id })
      // Once more: the connection may just have gone over to newer credentials. Its id keeps it from being stored twice.
      const stored = send()
        .catch(send)
        .then(
          () => undefined,
          () => void dropped++,
        )
        .finally(() => inFlight.delete(stored))
      inFlight.add(stored)
    },
    async flush(withinMs) {
      const timeout = AbortSignal.timeout(withinMs)
      const isOver = new Promise<void>((resolve) =>
        timeout.addEventListener('abort', () => resolve()),
      )
      await Promise.race([Promise.all(inFlight), isOver])
    },
    dropped: () => dropped,
  }
}
