/**
 * Who may do what on the NATS server. Every process of KRE gets its access from here, so that accounts per version
 * can replace the two users of a laptop without touching a caller.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'

export const Credentials = z.object({
  engine: z.object({ user: z.string(), password: z.string() }),
  runner: z.object({ user: z.string(), password: z.string() }),
})
export type Credentials = z.infer<typeof Credentials>

export function createCredentials(): Credentials {
  const password = () => randomBytes(32).toString('base64url')
  return {
    engine: { user: 'engine', password: password() },
    runner: { user: 'runner', password: password() },
  }
}

/**
 * What processes of versions, which run user code, must not publish: streams and buckets are the manager's to make
 * and remove, routing and heartbeats the engine's to say. Deletes inside an object store need its purge.
 */
export const RUNNER_DENIED_SUBJECTS: readonly string[] = [
  '$JS.API.STREAM.CREATE.>',
  '$JS.API.STREAM.UPDATE.>',
  '$JS.API.STREAM.DELETE.>',
  '$JS.API.STREAM.RESTORE.>',
  '$JS.API.STREAM.SNAPSHOT.>',
  '$JS.API.STREAM.PURGE.OUT_>',
  '$JS.API.STREAM.PURGE.KV_>',
  '$JS.API.CONSUMER.DELETE.*.mongo-writer',
  '$JS.API.CONSUMER.MSG.NEXT.*.mongo-writer',
  '$KV.RT_>',
  'kre.engine.>',
  '$SYS.>',
]
