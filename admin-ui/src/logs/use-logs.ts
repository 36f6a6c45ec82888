import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { runOperation } from '../api/run-operation.ts'
import { Logs, WatchLogs } from '../gen/documents.ts'
import { liveState, subscribe } from '../live/socket.ts'
import { watched } from '../live/watched.ts'
import { useStore } from '../ui/store.ts'
import { linesAfter } from './lines-after.ts'
import {
  createLogFeed,
  NOTHING_YET,
  type LogFeed,
  type LogSource,
  type LogView,
} from './log-feed.ts'
import { toApiFilters, type LogFilter } from './log-filter.ts'

/** Behind the line that others are looked for around. */
const AFTER_LINES = 200

type LogsState = LogView & Pick<LogFeed, 'loadOlder' | 'pause'> & { readonly reload: () => void }

/** A version's log: the newest pages, then every line as it is stored; or the lines around one. */
export function useLogs(runtimeId: string, versionName: string, filter: LogFilter): LogsState {
  const [round, setRound] = useState(0)
  const isWatched = useStore(watched)
  const key = JSON.stringify([runtimeId, versionName, filter, round])
  const [feed, setFeed] = useState<{ key: string; feed: LogFeed } | null>(null)
  useEffect(() => {
    if (!isWatched) return
    const made = createLogFeed(sourceOf(runtimeId, versionName, filter))
    setFeed({ key, feed: made })
    return () => made.end()
    // The key stands for all of it.
  }, [key, isWatched])
  useBeginAnewAfterGap(() => setRound((n) => n + 1))
  // What another filter found is not shown while this one is asked.
  const current = feed?.key === key ? feed.feed : null
  const view = useSyncExternalStore(current?.subscribe ?? never, current?.view ?? nothing)
  return useMemo(
    () => ({
      ...view,
      loadOlder: async () => current?.loadOlder(),
      pause: (isPaused: boolean) => current?.pause(isPaused),
      reload: () => setRound((n) => n + 1),
    }),
    [view, current],
  )
}

const never = (): (() => void) => () => undefined
const nothing = (): LogView => NOTHING_YET

function sourceOf(runtimeId: string, versionName: string, filter: LogFilter): LogSource {
  const filters = toApiFilters(filter, versionName, Date.now())
  const { around } = filter
  const page: LogSource['page'] = async (cursor, limit, signal) =>
    (await runOperation(Logs, { runtimeId, filters, cursor, limit }, signal)).logs
  if (around === null)
    return {
      page,
      tail: ({ next, error }) =>
        subscribe(
          WatchLogs,
          { runtimeId, versionName, filters },
          { next: ({ watchNodeLogs: { leftOut, ...line } }) => next(line, leftOut), error },
        ),
    }
  return {
    page,
    tail: null,
    after: (signal) =>
      linesAfter(
        async ({ fromMs, toMs }, limit) => {
          const range = {
            versionsIds: [versionName],
            startDate: new Date(fromMs).toISOString(),
            endDate: new Date(toMs).toISOString(),
          }
          const variables = { runtimeId, filters: range, cursor: null, limit }
          return (await runOperation(Logs, variables, signal)).logs
        },
        Date.parse(around.date),
        Date.now(),
        AFTER_LINES,
      ),
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
