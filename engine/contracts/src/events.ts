/** What parts of the engine tell each other. Events are hints: whoever misses one finds the same in the store. */
export type EngineEvent =
  | { readonly type: 'runtime.created' | 'runtime.deleted'; readonly runtimeId: string }
  | {
      readonly type: 'version.created' | 'version.deleted'
      readonly runtimeId: string
      readonly version: string
    }
  | { readonly type: 'release.written'; readonly runtimeId: string }
  | { readonly type: 'placement.observed'; readonly runtimeId: string }
  | { readonly type: 'logs.written'; readonly runtimeId: string }

export interface EventBus {
  publish(event: EngineEvent): void
  /** Calls back for each event until the returned function is called. A listener never blocks the publisher. */
  subscribe(listener: (event: EngineEvent) => void): () => void
}
