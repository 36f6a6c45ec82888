import type { LogRecord } from '@kre/contracts'
import { SECOND_MS } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { watchChanges } from '../watch/watch-changes.ts'
import { parseLogFilters, selectLogs, type LogSelection } from './log-filters.ts'

/** Lines of different nodes are stored out of order by at most so much; later ones are found by `logs` only. */
const OUT_OF_ORDER_MS = 5 * SECOND_MS
/** … and by at most so many lines, so that a chatty version does not have the same lines read over and over. */
const OUT_OF_ORDER_LINES = 2_000
const PAGE_ITEMS = 500

type TailLogsDeps = Pick<FeatureDeps, 'runtimes' | 'versions' | 'outputs' | 'events' | 'now'>
type TailLogs = {
  principal: Principal
  runtimeId: string
  versionName: string
  filters: unknown
  signal: AbortSignal
}

/**
 * Log lines of a version as they are stored, oldest first, each once. Lines stored before the call are left out.
 *
 * @throws KreError `not-found`, `invalid-argument` for a filter.
 */
export async function tailLogs(
  deps: TailLogsDeps,
  command: TailLogs,
): Promise<AsyncIterableIterator<LogRecord, undefined>> {
  const { principal, runtimeId, versionName, signal } = command
  authorize(principal, 'view logs', runtimeId)
  const filters = parseLogFilters(command.filters)
  const version = await requireVersion(deps, runtimeId, versionName)
  const selection = selectLogs(runtimeId, { ...filters, versionsIds: [version.name] }, [version])
  const from = new Date(
    Math.max(filters.startDate.getTime(), deps.now().getTime() - OUT_OF_ORDER_MS),
  )
  const readNew = createTailReader(deps, selection, from, filters.endDate)
  await readNew()
  return watchChanges({
    events: deps.events,
    signal,
    isRelevant: (event) => event.type === 'logs.written' && event.runtimeId === runtimeId,
    read: readNew,
  })
}

/** Each call reads the lines since the newest one, and a little before it, and returns those not seen yet. */
function createTailReader(
  deps: Pick<TailLogsDeps, 'outputs'>,
  selection: LogSelection,
  from: Date,
  to: Date | undefined,
): () => Promise<LogRecord[]> {
  const startMs = from.getTime()
  let newestMs = startMs
  let oldestMs = startMs
  /** Ids with their dates; those before the window can't come again and are forgotten. */
  const seen = new Map<string, number>()

  return async function readNew() {
    const sinceMs = Math.max(oldestMs, newestMs - OUT_OF_ORDER_MS)
    for (const [id, dateMs] of seen) if (dateMs < sinceMs) seen.delete(id)
    const found: LogRecord[] = []
    let cursor: string | null = null
    do {
      const page = await deps.outputs.logs({
        ...selection.query,
        from: new Date(sinceMs),
        ...(to === undefined ? {} : { to }),
        ...(cursor === null ? {} : { cursor }),
        limit: PAGE_ITEMS,
        order: 'oldest-first',
      })
      for (const record of page.items) {
        if (seen.has(record.id)) continue
        const dateMs = Date.parse(record.date)
        seen.set(record.id, dateMs)
        newestMs = Math.max(newestMs, dateMs)
        if (selection.matches(record)) found.push(record)
      }
      cursor = page.cursor
    } while (cursor !== null)
    oldestMs = Math.max(oldestMs, beginOfNewest(seen, OUT_OF_ORDER_LINES))
    return found
  }
}

/** Date of the oldest among the `count` newest lines; -Infinity when there are not so many. */
function beginOfNewest(seen: ReadonlyMap<string, number>, count: number): number {
  if (seen.size <= count) return -Infinity
  return Float64Array.from(seen.values()).toSorted().at(-count) ?? -Infinity
}
