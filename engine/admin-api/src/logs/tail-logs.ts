import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { matchesQuery, parseLogFilters, selectLogs } from './log-filters.ts'
import { requireKnownNames } from './require-known-names.ts'
import type { FollowLog, TailLine } from './log-tails.ts'

type TailLogsDeps = Pick<FeatureDeps, 'runtimes' | 'versions'> & { followLog: FollowLog }
type TailLogs = {
  principal: Principal
  runtimeId: string
  versionName: string
  filters: unknown
  signal: AbortSignal
}

/**
 * Log lines of a version as they are stored, oldest first, each once. Lines stored before the call are left out, and
 * those that a slow consumer missed are counted.
 *
 * @throws KreError `not-found` for the version, or a workflow or node that it has not; `invalid-argument` for a filter.
 */
export async function tailLogs(
  deps: TailLogsDeps,
  command: TailLogs,
): Promise<AsyncIterableIterator<TailLine, undefined>> {
  const { principal, runtimeId, versionName, signal } = command
  authorize(principal, 'view logs', runtimeId)
  const filters = parseLogFilters(command.filters)
  const version = await requireVersion(deps, runtimeId, versionName)
  const own = { ...filters, versionsIds: [version.name] }
  requireKnownNames(own, [version])
  const { query, matches } = selectLogs(runtimeId, own, [version])
  const range = { from: filters.startDate, to: filters.endDate }
  return deps.followLog(
    { runtimeId, version: version.name },
    {
      signal,
      matches: (record) => matches(record) && matchesQuery({ ...query, ...range }, record),
    },
  )
}
