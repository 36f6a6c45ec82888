import { AckPolicy, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { nanos, type NatsConnection } from '@nats-io/transport-node'
import { outputsStream, versionOutputsFilter, WRITER_CONSUMER } from '@kre/contracts'

/** The outputs stream of version `v1` of a runtime and the writer's consumer, as the NATS manager makes them. */
export async function createOutputsStream(
  nats: NatsConnection,
  runtimeId: string,
  { ackWaitMs = 30_000 }: { ackWaitMs?: number } = {},
): Promise<void> {
  const manager = await jetstreamManager(nats)
  const version = { runtimeId, version: 'v1' }
  const stream = outputsStream(version)
  await manager.streams.add({
    name: stream,
    subjects: [versionOutputsFilter(version)],
    retention: RetentionPolicy.Workqueue,
  })
  await manager.consumers.add(stream, {
    durable_name: WRITER_CONSUMER,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_deliver: -1,
    max_ack_pending: 5_000,
  })
}

/** Messages of that stream that nobody has acknowledged. */
export async function outputsWaiting(nats: NatsConnection, runtimeId: string): Promise<number> {
  const manager = await jetstreamManager(nats)
  return (await manager.streams.info(outputsStream({ runtimeId, version: 'v1' }))).state.messages
}
