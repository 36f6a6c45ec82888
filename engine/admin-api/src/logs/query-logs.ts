import { KreError, type LogRecord } from '@kre/contracts'
import type { LogPage, Store, Version } from '@kre/store'
import { PAGE_ITEMS_MAX } from '../graphql/page-of.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireRuntime } from '../versions/version-state.ts'
import { parseLogFilters, selectLogs, type LogFilters } from './log-filters.ts'
import { requireKnownNames } from './require-known-names.ts'

export const LOG_PAGE_ITEMS = 40
/** Store pages read for one answer at most, when the filters let few of their lines through. */
const STORE_PAGES_MAX = 10

type QueryLogsDeps = Pick<Store, 'runtimes' | 'versions' | 'outputs'>

/**
 * One page of log lines, newest first.
 *
 * @param query.limit null = `LOG_PAGE_ITEMS`.
 * @throws KreError `not-found` for the runtime, or for a workflow or node that no version has; `invalid-argument` for a filter, the cursor or the limit.
 */
export async function queryLogs(
  deps: QueryLogsDeps,
  query: {
    principal: Principal
    runtimeId: string
    filters: unknown
    cursor: string | null
    limit: number | null
  },
): Promise<LogPage> {
  authorize(query.principal, 'view logs', query.runtimeId)
  const filters = parseLogFilters(query.filters)
  const limit = pageItems(query.limit)
  await requireRuntime(deps, query.runtimeId)
  const versions = await versionsToName(deps, query.runtimeId, filters)
  const selection = selectLogs(query.runtimeId, filters, versions)
  const items: LogRecord[] = []
  let cursor = query.cursor
  for (let pages = 0; pages < STORE_PAGES_MAX; pages += 1) {
    const page = await deps.outputs.logs({
      ...selection.query,
      from: filters.startDate,
      ...(filters.endDate === undefined ? {} : { to: filters.endDate }),
      ...(cursor === null ? {} : { cursor }),
      limit,
      order: 'newest-first',
    })
    items.push(...page.items.filter(selection.matches))
    cursor = page.cursor
    // A second store page can't be cut in the middle: its cursor points behind all of it.
    if (cursor === null || items.length > 0) break
  }
  if (items.length === 0 && cursor === null && query.cursor === null)
    await explainNothing(deps, query.runtimeId, filters, versions)
  return { items, cursor }
}

/**
 * @param known versions that were read already.
 * @throws KreError `not-found` when nothing could be found.
 */
export async function explainNothing(
  { versions }: Pick<Store, 'versions'>,
  runtimeId: string,
  filters: LogFilters,
  known: readonly Version[],
): Promise<void> {
  if (filters.workflowsNames === undefined && filters.nodeIds === undefined) return
  requireKnownNames(filters, known.length > 0 ? known : await versions.list(runtimeId))
}

/** Those by which ids and names are looked up: as few as will do, since a runtime may have a thousand. */
async function versionsToName(
  { versions }: Pick<QueryLogsDeps, 'versions'>,
  runtimeId: string,
  { versionsIds, workflowsNames }: LogFilters,
): Promise<Version[]> {
  if (workflowsNames === undefined && versionsIds === undefined) return []
  if (workflowsNames === undefined) {
    const named = await Promise.all((versionsIds ?? []).map((id) => versions.find(runtimeId, id)))
    const found = named.filter((version) => version !== null)
    if (found.length === named.length) return found
  }
  return versions.list(runtimeId)
}

function pageItems(limit: number | null): number {
  if (limit === null) return LOG_PAGE_ITEMS
  if (limit >= 1 && limit <= PAGE_ITEMS_MAX) return limit
  throw new KreError('invalid-argument', `limit: is 1 to ${PAGE_ITEMS_MAX}`, { field: 'limit' })
}
