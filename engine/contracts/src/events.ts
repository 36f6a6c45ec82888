/** What parts of the engine, and engines beside each other, tell each other. */
import { z } from 'zod'

const runtimeId = z.string()

/** Events are hints: whoever misses one finds the same in the store. */
export const EngineEvent = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['runtime.created', 'runtime.deleted']), runtimeId }),
  z.object({
    type: z.enum(['version.created', 'version.deleted']),
    runtimeId,
    version: z.string(),
  }),
  z.object({ type: z.literal('release.written'), runtimeId }),
  z.object({ type: z.literal('placement.observed'), runtimeId }),
  z.object({ type: z.literal('logs.written'), runtimeId }),
  // Whoever works on the upload for a client that is gone shall let go: the client is back, at another engine.
  z.object({
    type: z.literal('upload.wanted'),
    runtimeId,
    uploadId: z.string(),
    /** Whoever asks, so that it does not ask itself. */
    by: z.string(),
  }),
])
export type EngineEvent = Readonly<z.infer<typeof EngineEvent>>

export interface EventBus {
  publish(event: EngineEvent): void
  /** Calls back for each event until the returned function is called. A listener never blocks the publisher. */
  subscribe(listener: (event: EngineEvent) => void): () => void
}
