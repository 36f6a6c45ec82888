import { AckPolicy, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { nanos, type NatsConnection } from '@nats-io/transport-node'
import { outputsFilter, outputsStream, WRITER_CONSUMER } from '@kre/contracts'

/** The outputs stream of a runtime and the writer's consumer, as the NATS manager makes them. */
export async function createOutputsStream(
  nats: NatsConnection,
  runtimeId: string,
  { ackWaitMs = 30_000 }: { ackWaitMs?: number } = {},
): Promise<void> {
  const manager = await jetstreamManager(nats)
  const stream = outputsStream(runtimeId)
  await manager.streams.add({
    name: stream,
    subjects: [outputsFilter(runtimeId)],
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

/** Messages of the stream that nobody has acknowledged. */
export async function outputsWaiting(nats: NatsConnection, runtimeId: string): Promise<number> {
  const manager = await jetstreamManager(nats)
  return (await manager.streams.info(outputsStream(runtimeId))).state.messages
}
