import type { EngineEvent, EventBus } from '@kre/contracts'

type WatchOptions<T> = {
  events: EventBus
  /** Ends the watch, as the consumer's `return()` does. */
  signal: AbortSignal
  isRelevant: (event: EngineEvent) => boolean
  /** Reads what has changed in these runtimes; called for one set at a time. */
  read: (runtimeIds: ReadonlySet<string>) => Promise<readonly T[]>
}

/**
 * Turns hints into changes. Hints that arrive while the consumer is busy melt into one set of runtimes, so a slow
 * consumer costs a set of ids and never a queue; it sees the newest state, not every state.
 *
 * Listens from the call on: hints before the first `next()` are not lost.
 */
export function watchChanges<T>(options: WatchOptions<T>): AsyncIterableIterator<T, undefined> {
  const { events, signal, isRelevant, read } = options
  const dirty = new Set<string>()
  let ended = signal.aborted
  let wake = (): void => undefined
  const unsubscribe = events.subscribe((event) => {
    if (!isRelevant(event)) return
    dirty.add(event.runtimeId)
    wake()
  })
  const end = (): void => {
    ended = true
    unsubscribe()
    signal.removeEventListener('abort', end)
    wake()
  }
  signal.addEventListener('abort', end)
  if (ended) end()

  async function* changes(): AsyncGenerator<T, undefined> {
    try {
      while (!ended) {
        if (dirty.size === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        const taken = new Set(dirty)
        dirty.clear()
        for (const change of await read(taken)) {
          if (ended) return
          yield change
        }
      }
    } finally {
      end()
    }
  }

  const generator = changes()
  return {
    next: () => generator.next(),
    // The generator's own `return()` would wait for the next hint, perhaps for ever.
    return: () => {
      end()
      return generator.return(undefined)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
