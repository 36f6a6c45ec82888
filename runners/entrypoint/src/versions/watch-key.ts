import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'

/** Between two tries while the bucket is not there or NATS does not answer. */
const RETRY_MS = 250

export type KeyWatch = {
  /** Reads again from the start, for example after a reconnect: the server may have forgotten the watcher. */
  restart(): void
  stop(): void
}

/**
 * Reports the value of a key now and whenever it changes, for as long as the process runs: a missing bucket, a lost
 * connection and a server that came back empty are waited out.
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

  const watchOnce = async () => {
    const kv = await kvm.open(bucket)
    // A watch says nothing of a key that is not there.
    if ((await kv.get(key)) === null) onValue(null, kv)
    const entries = await kv.watch({ key })
    end = () => entries.stop()
    for await (const entry of entries) {
      if (isStopped) return
      onValue(entry.operation === 'PUT' ? entry.string() : null, kv)
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
    restart: () => end(),
    stop() {
      isStopped = true
      end()
    },
  }
}
