import { type Cancellation, controlSubject } from '@kre/contracts/runtime'
import type { NatsLink } from '../nats-link.ts'
import type { ServedVersion } from '../versions/served-version.ts'

/** Requests named in one message at most. */
const BATCH_MAX = 1_000

/** Tells nodes which requests nobody waits for any more: one message per version and turn of the event loop. */
export function createCancellations(link: NatsLink): (version: ServedVersion, id: string) => void {
  const waiting = new Map<ServedVersion, string[]>()

  const flush = () => {
    for (const [version, requestIds] of waiting) {
      // While NATS is away the deadline in each request does the same, later.
      if (!link.isUp()) break
      const subject = controlSubject(version.ref, 'cancel')
      for (let at = 0; at < requestIds.length; at += BATCH_MAX) {
        const cancellation: Cancellation = { requestIds: requestIds.slice(at, at + BATCH_MAX) }
        link.publish(subject, Buffer.from(JSON.stringify(cancellation)))
      }
    }
    waiting.clear()
  }

  return (version, id) => {
    if (waiting.size === 0) setImmediate(flush)
    const ids = waiting.get(version)
    if (ids === undefined) waiting.set(version, [id])
    else ids.push(id)
  }
}
