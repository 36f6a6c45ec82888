import {
  jetstream,
  jetstreamManager,
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { Objm } from '@nats-io/obj'
import { nanos, type NatsConnection } from '@nats-io/transport-node'
import {
  KreError,
  ROUTING_KEY,
  routingBucket,
  RoutingTable,
  SECOND_MS,
  type NatsManager,
} from '@kre/contracts'
import { z } from 'zod'
import type { NatsAccounts } from '../accounts/nats-accounts.ts'
import { asComplete, diff } from '../plan/diff.ts'
import {
  plan,
  streamOf,
  type ClaimsPlan,
  type KeyValuePlan,
  type ObjectPlan,
  type ObjectStorePlan,
  type StreamPlan,
} from '../plan/plan.ts'
import { ignoreExisting, ignoreMissing } from './ignore-known.ts'
import { inParallel } from './in-parallel.ts'
import { metadataOf, observeStreams } from './observe-streams.ts'
import { toKreError } from './to-kre-error.ts'
import { createInterfaceWriter } from './write-interfaces.ts'

/** A table with the token of who wrote it; entrypoints read the rest. */
const WrittenTable = RoutingTable.extend({ token: z.number().default(0) })
type WrittenTable = z.infer<typeof WrittenTable>

/** Longest wait for the confirmation of one stored batch before it is delivered again. */
const WRITER_ACK_WAIT_MS = 60 * SECOND_MS

/**
 * Applies plans to one NATS server; the only part of KRE that makes or removes streams, consumers and buckets.
 *
 * @param accounts of its processes; null = the server knows none.
 * @param replicas of each stream and bucket, on as many servers of a cluster.
 */
export async function createNatsManager(
  nats: NatsConnection,
  accounts: NatsAccounts | null = null,
  replicas = 1,
): Promise<NatsManager> {
  const manager = await jetstreamManager(nats, { checkAPI: false }).catch((error: unknown) => {
    throw toKreError(error)
  })
  const observer = observeStreams(manager)
  const client = jetstream(nats, { checkAPI: false })
  const kvm = new Kvm(client)
  const objm = new Objm(client)
  const interfaces = createInterfaceWriter(manager)

  const create = (object: ObjectPlan): Promise<unknown> => {
    observer.making(streamOf(object))
    if (object.kind === 'stream') return createStream(manager, object, replicas)
    if (object.kind === 'key-value') return createKeyValue(kvm, object, replicas)
    if (object.kind === 'claims') return createClaims(manager, object, replicas)
    return createObjectStore(objm, object, replicas)
  }
  const remove = async (streams: readonly string[]) => {
    await inParallel(streams, (name) => manager.streams.delete(name).catch(ignoreMissing))
  }

  return {
    async converge(runtimeId, versions, sound = new Set()) {
      return translated(async () => {
        const wanted = plan(runtimeId, versions)
        const isSound = ({ owner }: ObjectPlan) =>
          owner.version !== null && sound.has(owner.version)
        const complete = wanted.required.filter(isSound)
        const names = [...wanted.required.map(streamOf), ...wanted.retired.keys()]
        // What is kept is neither made nor removed, so nobody has to know whether it is there.
        const skipped = new Set([...complete.map(streamOf), ...wanted.kept])
        const observed = await observer.of(runtimeId, names, skipped)
        const changes = diff(runtimeId, wanted, [...observed, ...complete.map(asComplete)])
        // What is in them is delivered as before. In their order: what one takes is in the way of the next.
        for (const [name, subject] of changes.retire)
          await manager.streams.update(name, { subjects: [subject] })
        await inParallel(changes.create, create)
        await interfaces.write(await kvm.open(routingBucket(runtimeId)), runtimeId, wanted)
        await remove(changes.remove)
        // After the buckets, before the processes that use them.
        await accounts?.converge(runtimeId, versions)
        return {
          created: changes.create.map((object) => object.name),
          removed: changes.remove,
          ...(changes.waiting.length > 0 ? { waiting: changes.waiting } : {}),
        }
      })
    },
    async removeRuntime(runtimeId) {
      return translated(async () => {
        const streams = await observer.allOf(runtimeId)
        await remove(streams.map((stream) => stream.name))
        interfaces.forget(runtimeId)
        await accounts?.removeRuntime(runtimeId)
        return { created: [], removed: streams.map((stream) => stream.name) }
      })
    },
    async runtimes() {
      return translated(async () => [
        ...new Set((await observer.all()).map((stream) => stream.owner.runtime)),
      ])
    },
    async readRouting(runtimeId) {
      return translated(async () => {
        const found = await readTable(kvm, runtimeId)
        return found === null ? null : RoutingTable.parse(found.table)
      })
    },
    async writeRouting(runtimeId, table, token = 0) {
      await translated(async () => {
        const current = await readTable(kvm, runtimeId)
        if (current !== null) refuseOlder(runtimeId, current.table, { ...table, token })
        const bucket = await kvm.open(routingBucket(runtimeId))
        const text = JSON.stringify({ ...table, token } satisfies WrittenTable)
        if (current === null) await bucket.create(ROUTING_KEY, text)
        else await bucket.update(ROUTING_KEY, text, current.revision)
      })
    },
  }
}

async function createStream(
  manager: JetStreamManager,
  stream: StreamPlan,
  replicas: number,
): Promise<void> {
  await manager.streams
    .add({
      name: stream.name,
      subjects: [...stream.subjects],
      // Gone once the writer has stored it.
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      // A full stream refuses the newest message, so that its sender hears of it, instead of dropping the oldest.
      discard: DiscardPolicy.New,
      max_bytes: stream.bytesMax,
      max_age: nanos(stream.ageMaxMs),
      num_replicas: replicas,
      max_msg_size: stream.messageBytesMax,
      metadata: metadataOf(stream.owner),
    })
    .catch(ignoreExisting)
  for (const consumer of stream.consumers) {
    await manager.consumers
      .add(stream.name, {
        durable_name: consumer.name,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ack_wait: nanos(WRITER_ACK_WAIT_MS),
        max_deliver: -1,
        max_ack_pending: 5_000,
      })
      .catch(ignoreExisting)
  }
}

async function createClaims(
  manager: JetStreamManager,
  claims: ClaimsPlan,
  replicas: number,
): Promise<void> {
  await manager.streams
    .add({
      name: claims.name,
      subjects: [...claims.subjects],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      // What is there belongs to requests in flight: the newcomer is refused.
      discard: DiscardPolicy.New,
      max_bytes: claims.bytesMax,
      max_age: nanos(claims.ageMaxMs),
      num_replicas: replicas,
      max_msg_size: claims.messageBytesMax,
      // Chunks are read by their subjects, without a consumer.
      allow_direct: true,
      metadata: metadataOf(claims.owner),
    })
    .catch(ignoreExisting)
}

async function createKeyValue(kvm: Kvm, bucket: KeyValuePlan, replicas: number): Promise<void> {
  await kvm
    .create(bucket.name, {
      history: bucket.history,
      max_bytes: bucket.bytesMax,
      replicas,
      maxValueSize: bucket.valueBytesMax,
      storage: StorageType.File,
      metadata: metadataOf(bucket.owner),
    })
    .catch(ignoreExisting)
}

async function createObjectStore(
  objm: Objm,
  bucket: ObjectStorePlan,
  replicas: number,
): Promise<void> {
  await objm
    .create(bucket.name, {
      max_bytes: bucket.bytesMax,
      replicas,
      storage: StorageType.File,
      metadata: metadataOf(bucket.owner),
    })
    .catch(ignoreExisting)
}

async function readTable(
  kvm: Kvm,
  runtimeId: string,
): Promise<{ table: WrittenTable; revision: number } | null> {
  const bucket = await kvm.open(routingBucket(runtimeId)).catch(ignoreMissing)
  const entry = await bucket?.get(ROUTING_KEY)
  if (entry?.operation !== 'PUT') return null
  return { table: WrittenTable.parse(entry.json()), revision: entry.revision }
}

/** @throws KreError `aborted` for a table of a release, or of an engine, that is not in force any more. */
function refuseOlder(runtimeId: string, current: WrittenTable, next: WrittenTable): void {
  if (current.token > next.token)
    throw new KreError(
      'aborted',
      `the routing table of runtime "${runtimeId}" is written by another engine by now: this one's lease (${next.token}) is over`,
    )
  if (current.generation > next.generation)
    throw new KreError(
      'aborted',
      `the routing table of runtime "${runtimeId}" is already at generation ${current.generation}`,
    )
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toKreError(error)
  }
}
