import { useCallback, useEffect, useRef, useState } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { Logs, WatchLogs, type LogLine } from '../gen/documents.ts'
import { liveState, subscribe } from '../live/socket.ts'
import { watched } from '../live/watched.ts'
import { useStore } from '../ui/store.ts'
import { createLogBuffer } from './log-buffer.ts'
import { toApiFilters, type LogFilter } from './log-filter.ts'

/** Live lines become one drawing each so many ms. */
const GATHER_MS = 100
/** Of 40 lines each, before the first drawing. */
const FIRST_PAGES = 5

export type LogsState = {
  readonly lines: readonly LogLine[]
  readonly isLoading: boolean
  readonly hasOlder: boolean
  readonly error: ApiError | null
  /** @returns how many lines came before those that were there. */
  readonly loadOlder: () => Promise<number>
}

/** A version's log: the newest pages, then every line as it is stored. */
export function useLogs(runtimeId: string, versionName: string, filter: LogFilter): LogsState {
  const buffer = useRef(createLogBuffer())
  const cursor = useRef<string | null>(null)
  const [round, setRound] = useState(0)
  const [, draw] = useState(0)
  const [isLoading, setLoading] = useState(true)
  const [error, setError] = useState<ApiError | null>(null)
  const isWatched = useStore(watched)
  const key = JSON.stringify([runtimeId, versionName, filter])
  const filters = useRef(toApiFilters(filter, versionName, Date.now()))

  const loadPage = useCallback(
    async (signal?: AbortSignal): Promise<number> => {
      const variables = { runtimeId, filters: filters.current, cursor: cursor.current }
      const { logs } = await runOperation(Logs, variables, signal)
      cursor.current = logs.cursor
      return buffer.current.prepend(logs.items)
    },
    [runtimeId],
  )

  useEffect(() => {
    if (!isWatched) return
    const ended = new AbortController()
    let waiting: LogLine[] = []
    let timer: ReturnType<typeof setTimeout> | null = null
    buffer.current.clear()
    cursor.current = null
    filters.current = toApiFilters(filter, versionName, Date.now())
    setLoading(true)
    setError(null)

    const flush = (): void => {
      timer = null
      buffer.current.append(waiting)
      waiting = []
      draw((n) => n + 1)
    }
    // First the live lines, then the past: nothing falls between the two.
    const stop = subscribe(
      WatchLogs,
      { runtimeId, versionName, filters: filters.current },
      {
        next({ watchNodeLogs }) {
          waiting.push(watchNodeLogs)
          timer ??= setTimeout(flush, GATHER_MS)
        },
        error: setError,
      },
    )
    const loadFirst = async (): Promise<void> => {
      try {
        for (let page = 0; page < FIRST_PAGES; page += 1) {
          await loadPage(ended.signal)
          if (cursor.current === null) break
        }
      } catch (thrown) {
        if (!ended.signal.aborted) setError(toApiError(thrown))
      }
      if (!ended.signal.aborted) setLoading(false)
    }
    void loadFirst()
    return () => {
      ended.abort()
      stop()
      if (timer !== null) clearTimeout(timer)
    }
    // The key stands for the filter; a round begins after a gap.
  }, [key, round, isWatched, loadPage])

  useBeginAnewAfterGap(() => setRound((n) => n + 1))

  const loadOlder = useCallback(async () => {
    if (cursor.current === null) return 0
    try {
      const count = await loadPage()
      draw((n) => n + 1)
      return count
    } catch (thrown) {
      setError(toApiError(thrown))
      return 0
    }
  }, [loadPage])

  return {
    lines: buffer.current.lines(),
    isLoading,
    hasOlder: cursor.current !== null,
    error,
    loadOlder,
  }
}

/** What was written while the connection was lost is in the store: everything is read again. */
function useBeginAnewAfterGap(begin: () => void): void {
  const latest = useRef(begin)
  latest.current = begin
  useEffect(() => {
    let wasLost = false
    return liveState.subscribe(() => {
      const { kind } = liveState.get()
      if (kind === 'live' && wasLost) latest.current()
      if (kind !== 'idle') wasLost = kind === 'lost'
    })
  }, [])
}
