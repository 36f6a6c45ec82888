/**
 * What was read from the engine, by operation and variables. A view shows what is there at once and gets what is new;
 * an event of the engine, or an action, makes it read again.
 */
import { toApiError, type ApiError } from './api-error.ts'

/** What views look at. `data` stays while a newer one is read, or can not be read. */
export type Query<Result> = {
  readonly data: Result | undefined
  readonly error: ApiError | null
  readonly isLoading: boolean
}

type Entry = {
  state: Query<unknown>
  read: () => Promise<unknown>
  listeners: Set<() => void>
  running: Promise<void> | null
  /** Asked for while it was being read: what came may be older than the reason to ask. */
  again: boolean
  usedAt: number
}

/** Answers that nobody looks at are kept for the way back; beyond so many the oldest go. */
const IDLE_ENTRIES_MAX = 40
const NOTHING: Query<never> = { data: undefined, error: null, isLoading: true }

export type QueryCache = {
  state(key: string): Query<unknown>
  /** Reads at once when nobody was looking before. @returns how to stop looking. */
  watch(key: string, read: () => Promise<unknown>, listener: () => void): () => void
  refresh(key: string): Promise<void>
  /** Reads everything again that somebody looks at; what else is there is forgotten. */
  refreshAll(): Promise<void>
  clear(): void
}

export function createQueryCache(now: () => number = Date.now): QueryCache {
  const entries = new Map<string, Entry>()

  function set(entry: Entry, state: Query<unknown>): void {
    entry.state = state
    for (const listener of entry.listeners) listener()
  }

  async function load(entry: Entry): Promise<void> {
    do {
      entry.again = false
      set(entry, { ...entry.state, isLoading: true })
      try {
        set(entry, { data: await entry.read(), error: null, isLoading: false })
      } catch (error) {
        set(entry, { ...entry.state, error: toApiError(error), isLoading: false })
      }
    } while (entry.again)
    entry.running = null
  }

  function refresh(entry: Entry): Promise<void> {
    if (entry.running === null) entry.running = load(entry)
    else entry.again = true
    return entry.running
  }

  function forgetIdle(max: number): void {
    const idle = [...entries].filter(([, { listeners }]) => listeners.size === 0)
    const old = idle.toSorted(([, a], [, b]) => b.usedAt - a.usedAt).slice(max)
    for (const [key] of old) entries.delete(key)
  }

  return {
    state: (key) => entries.get(key)?.state ?? NOTHING,
    watch(key, read, listener) {
      const entry = entries.get(key) ?? {
        state: NOTHING,
        read,
        listeners: new Set(),
        running: null,
        again: false,
        usedAt: now(),
      }
      entries.set(key, entry)
      entry.read = read
      const isFirst = entry.listeners.size === 0
      entry.listeners.add(listener)
      if (isFirst) void refresh(entry)
      return () => {
        entry.listeners.delete(listener)
        entry.usedAt = now()
        forgetIdle(IDLE_ENTRIES_MAX)
      }
    },
    async refresh(key) {
      const entry = entries.get(key)
      if (entry !== undefined) await refresh(entry)
    },
    async refreshAll() {
      forgetIdle(0)
      await Promise.all([...entries.values()].map(refresh))
    },
    clear() {
      for (const entry of entries.values()) entry.state = NOTHING
      forgetIdle(0)
    },
  }
}
