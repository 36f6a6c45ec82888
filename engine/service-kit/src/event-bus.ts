import type { EngineEvent, EventBus } from '@kre/contracts'

/** Events inside one process; engines of several processes carry them over NATS. */
export function createEventBus(onListenerError: (error: unknown) => void): EventBus {
  const listeners = new Set<(event: EngineEvent) => void>()
  return {
    publish(event) {
      for (const listener of listeners) {
        queueMicrotask(() => {
          if (!listeners.has(listener)) return
          try {
            listener(event)
          } catch (error) {
            onListenerError(error)
          }
        })
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
