/** The `interface.*` entries of routing buckets, by which entrypoints know versions. */
import { createHash } from 'node:crypto'
import type { JetStreamManager } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import { routingBucket, VersionInterface } from '@kre/contracts'
import type { NatsPlan } from '../plan/plan.ts'
import { inParallel } from './in-parallel.ts'

/** Reads under way at once. */
const READS = 32

/** What a bucket holds, as it was read or written last. */
type Known = {
  /** Of the bucket's last change: with another one somebody else has written. */
  sequence: number
  /** By key: a digest of the entry's text, which has all message types of a bundle in it. */
  readonly digests: Map<string, string>
}

export type InterfaceWriter = {
  /**
   * Makes the entries what the plan says. One that is right already is left alone, and is not read again as long as
   * nobody else writes to the bucket: a runtime with hundreds of versions is looked at by one request.
   */
  write(bucket: KV, runtimeId: string, wanted: NatsPlan): Promise<void>
  /** Its bucket is gone. */
  forget(runtimeId: string): void
}

export function createInterfaceWriter(manager: JetStreamManager): InterfaceWriter {
  const known = new Map<string, Known>()

  const read = async (bucket: KV, runtimeId: string): Promise<Known> => {
    // `bucket.keys()` would leave a consumer on the server for minutes each time, and a stream may have 1,000 of them.
    const prefix = `$KV.${routingBucket(runtimeId)}.`
    const filter = { subjects_filter: `${prefix}interface.*` }
    const { state } = await manager.streams.info(`KV_${routingBucket(runtimeId)}`, filter)
    const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length))
    const before = known.get(runtimeId)
    const isKnown = before?.sequence === state.last_seq
    const digests = new Map<string, string>()
    await inParallel(
      keys,
      async (key) => {
        const digest = isKnown ? before.digests.get(key) : undefined
        digests.set(key, digest ?? digestOf(await textOf(bucket, key)))
      },
      READS,
    )
    return { sequence: state.last_seq, digests }
  }

  return {
    forget: (runtimeId) => void known.delete(runtimeId),
    async write(bucket, runtimeId, wanted) {
      const there = await read(bucket, runtimeId)
      known.delete(runtimeId)
      const wrote = (sequence: number) => {
        // Nobody else has written in between, or there is nothing that it could be compared with.
        there.sequence = sequence === there.sequence + 1 ? sequence : -1
      }
      for (const [key, value] of wanted.interfaces) {
        const text = JSON.stringify(VersionInterface.parse(value))
        if (there.digests.get(key) === digestOf(text)) continue
        wrote(await bucket.put(key, text))
        there.digests.set(key, digestOf(text))
      }
      for (const key of there.digests.keys()) {
        if (wanted.interfaces.has(key)) continue
        // The first tells who serves it, the second takes away what the first left.
        await bucket.purge(key)
        const filter = `$KV.${routingBucket(runtimeId)}.${key}`
        await manager.streams.purge(`KV_${routingBucket(runtimeId)}`, { filter })
        there.digests.delete(key)
        there.sequence = -1
      }
      known.set(runtimeId, there)
    },
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

/** @returns an empty one for what was deleted and has left a mark. */
async function textOf(bucket: KV, key: string): Promise<string> {
  const entry = await bucket.get(key)
  return entry?.operation === 'PUT' ? entry.string() : ''
}
