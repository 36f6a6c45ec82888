import {
  claimStream,
  HOUR_MS,
  KreError,
  versionClaimsFilter,
  type VersionRef,
} from '@kre/contracts'
import type { CoreConnection } from '../core-connection.ts'

const NANOS_PER_MS = 1_000_000

/** Makes a version's bucket for large payloads, as the NATS manager does. */
export async function createClaimBucket(
  connection: CoreConnection,
  version: VersionRef,
  bytesMax = -1,
): Promise<void> {
  const name = claimStream(version)
  const answer = await ask(connection, `$JS.API.STREAM.CREATE.${name}`, {
    name,
    subjects: [versionClaimsFilter(version)],
    retention: 'limits',
    storage: 'memory',
    discard: 'new',
    max_bytes: bytesMax,
    max_age: HOUR_MS * NANOS_PER_MS,
    allow_direct: true,
    num_replicas: 1,
  })
  if (answer['error'] !== undefined)
    throw new KreError('internal', `no bucket: ${JSON.stringify(answer['error'])}`)
}

/** Chunks in a version's bucket. */
export async function countClaimChunks(
  connection: CoreConnection,
  version: VersionRef,
): Promise<number> {
  const answer = await ask(connection, `$JS.API.STREAM.INFO.${claimStream(version)}`, {})
  return (answer['state'] as { messages: number }).messages
}

async function ask(
  connection: CoreConnection,
  subject: string,
  request: object,
): Promise<Record<string, unknown>> {
  const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>()
  const inbox = `_INBOX.test.${Math.random().toString(36).slice(2)}`
  const subscription = connection.subscribe(inbox, {
    onMessage: ({ data }) =>
      resolve(JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>),
  })
  connection.publish(subject, Buffer.from(JSON.stringify(request)), inbox)
  const answer = await promise
  subscription.unsubscribe()
  return answer
}
