import { setTimeout as sleep } from 'node:timers/promises'
import { SECOND_MS } from '@kre/contracts'
import type { Fleet } from './fleet.ts'
import type { Ports } from './ports.ts'
import { probeEntrypoint } from './probe-entrypoint.ts'

/** A newcomer beside a living process on the same port is believed to listen after this, if it announces nothing. */
const SHARED_PORT_GRACE_MS = 3 * SECOND_MS
const STARTING_EVERY_MS = 100
const STEADY_EVERY_MS = SECOND_MS
const ANSWER_TIMEOUT_MS = 2 * SECOND_MS

/**
 * Entrypoints of no version have nothing to announce while nothing is published, so they are asked on their port
 * whether they live. Runs until `released` aborts.
 */
export async function probePublished(
  fleet: Fleet,
  ports: Ports,
  host: string,
  released: AbortSignal,
): Promise<void> {
  while (!released.aborted) {
    const published = [...fleet.replicas()].filter(([{ workload }]) => workload.version === null)
    await Promise.all(
      published.map(async ([{ workload, replicas }, replica]) => {
        const { pid } = replica
        const port = ports.of(workload.id)
        if (port === null || pid === null) return
        const isAlone = [...replicas].every((one) => one === replica || one.pid === null)
        // The answer could be the other's.
        const age = Date.now() - (replica.observe().startedAt?.getTime() ?? Date.now())
        if (!isAlone && !replica.isReady && age < SHARED_PORT_GRACE_MS) return
        const answers = await probeEntrypoint(host, port, ANSWER_TIMEOUT_MS)
        if (answers && replica.pid === pid) replica.answered()
      }),
    )
    const isStarting = published.some(([, replica]) => !replica.isReady)
    const pause = isStarting ? STARTING_EVERY_MS : STEADY_EVERY_MS
    await sleep(pause, undefined, { signal: released }).catch(() => undefined)
  }
}
