import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'

/** Between two tries while the bucket is not there or NATS does not answer. */
const RETRY_MS = 250
/** A change is heard of while it is on its way to the bucket: pauses between two looks for it, each twice the last one. */
const LOOK_MS_MIN = 5
const LOOK_MS_MAX = 2_000
/** Looked at anyway: a disk may take longer than that, and what is missed would be missed for ever. */
const LOOK_EVERY_MS = 15_000

export type KeyWatch = {
  /** Reads the value now; does nothing while the bucket can't be reached. */
  look(): Promise<void>
  /** Reads again from the start, for example after a reconnect: changes may have been missed. */
  restart(): void
  stop(): void
}

/**
 * Reports the value of a key now and whenever it changes, for as long as the process runs: a missing bucket, a lost
 * connection and a server that came back empty are waited out.
 *
 * Written values are publications on the key's subject, so that is what is listened to, and the bucket says what is in
 * force. A consumer of the bucket would do, too; but who may make consumers may have them deliver to any subject of the
 * account that has the bucket.
 *
 * @param onValue gets null when the key does not exist; `kv` is the bucket it came from.
 */
export function watchKey(
  nats: NatsConnection,
  bucket: string,
  key: string,
  onValue: (value: string | null, kv: KV) => void,
): KeyWatch {
  const kvm = new Kvm(jetstream(nats))
  let isStopped = false
  let end: () => void = () => undefined
  let lookNow: () => Promise<unknown> = async () => undefined

  const watchOnce = async () => {
    const kv = await kvm.open(bucket)
    const ended = Promise.withResolvers<void>()
    let revision = -1
    let timer: NodeJS.Timeout | undefined
    /** @returns whether it is another one than the last time. */
    const look = async () => {
      const entry = await kv.get(key)
      if (isStopped || (entry?.revision ?? 0) === revision) return false
      revision = entry?.revision ?? 0
      onValue(entry?.operation === 'PUT' ? entry.string() : null, kv)
      return true
    }
    // What is not found in the end was refused by the bucket, or was found with the change before it.
    const find = async (pauseMs: number) => {
      if ((await look()) || pauseMs > LOOK_MS_MAX) return
      clearTimeout(timer)
      timer = setTimeout(() => find(2 * pauseMs).catch(ended.resolve), pauseMs)
    }
    const changes = nats.subscribe(`$KV.${bucket}.${key}`, {
      callback: () => void find(LOOK_MS_MIN).catch(ended.resolve),
    })
    const regularly = setInterval(() => look().catch(ended.resolve), LOOK_EVERY_MS)
    end = () => ended.resolve()
    lookNow = look
    try {
      await look()
      await ended.promise
    } finally {
      lookNow = async () => undefined
      clearInterval(regularly)
      clearTimeout(timer)
      changes.unsubscribe()
    }
  }

  const run = async () => {
    while (!isStopped) {
      // Whatever it was, the answer is the same: look again.
      await watchOnce().catch(() => undefined)
      if (!isStopped) await sleep(RETRY_MS)
    }
  }
  void run()
  return {
    look: async () => void (await lookNow()),
    restart: () => end(),
    stop() {
      isStopped = true
      end()
    },
  }
}
