/** Somebody who writes an object all the time, a program that labels everything for example. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { ask } from './test-cluster.ts'

const MERGE = 'application/merge-patch+json'
/** Between writes, so that the API server has time for others. */
const PAUSE_MS = 50

export type SecondWriter = AsyncDisposable & { readonly writes: number }

/** @param path of an object, which may go. */
export function startSecondWriter(admin: Cluster, path: string): SecondWriter {
  const ended = new AbortController()
  let writes = 0
  const write = async () => {
    while (!ended.signal.aborted) {
      const metadata = { annotations: { 'theirs.example.com/count': String(writes) } }
      await ask(admin, 'PATCH', path, { metadata }, MERGE).then(
        () => writes++,
        (error: Error) => {
          if (!/ 404 /.test(error.message)) throw error
        },
      )
      await sleep(PAUSE_MS)
    }
  }
  const writing = write()
  // Whoever disposes it hears of it.
  writing.catch(() => undefined)
  return {
    get writes() {
      return writes
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await writing
    },
  }
}
