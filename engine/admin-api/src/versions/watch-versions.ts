import type { FeatureDeps } from '../context.ts'
import { authorize, sees, type Principal } from '../principal.ts'
import { watchChanges } from '../watch/watch-changes.ts'
import {
  readRuntimeState,
  requireRuntime,
  versionState,
  type VersionState,
} from './version-state.ts'

type WatchVersionsDeps = Pick<
  FeatureDeps,
  'runtimes' | 'versions' | 'releases' | 'placements' | 'events'
>

/**
 * Versions whose status, reason, address, nodes or publication changed after the call.
 *
 * @param runtimeId null = all runtimes that the principal may see, also those that are created later.
 * @throws KreError `not-found` for the runtime.
 */
export async function watchVersions(
  deps: WatchVersionsDeps,
  command: { principal: Principal; runtimeId: string | null; signal: AbortSignal },
): Promise<AsyncIterableIterator<VersionState, undefined>> {
  const { principal, runtimeId, signal } = command
  if (runtimeId !== null) {
    authorize(principal, 'view versions', runtimeId)
    await requireRuntime(deps, runtimeId)
  }
  const readChanged = createChangeReader(deps)
  const watch = watchChanges({
    events: deps.events,
    signal,
    isRelevant: (event) =>
      event.type !== 'logs.written' &&
      (runtimeId === null || event.runtimeId === runtimeId) &&
      sees(principal, event.runtimeId),
    read: readChanged,
  })
  const runtimes = runtimeId === null ? await deps.runtimes.list() : [{ id: runtimeId }]
  await readChanged(new Set(runtimes.map(({ id }) => id).filter((id) => sees(principal, id))))
  return watch
}

/** Each call returns the versions of the runtimes that look different than at the call before. */
function createChangeReader(
  deps: Pick<WatchVersionsDeps, 'versions' | 'releases' | 'placements'>,
): (runtimeIds: ReadonlySet<string>) => Promise<VersionState[]> {
  /** By runtime, by version name. */
  const known = new Map<string, ReadonlyMap<string, string>>()

  return async function readChanged(runtimeIds) {
    const changed: VersionState[] = []
    for (const runtimeId of runtimeIds) {
      const [versions, state] = await Promise.all([
        deps.versions.list(runtimeId),
        readRuntimeState(deps, runtimeId),
      ])
      const before = known.get(runtimeId)
      const now = new Map<string, string>()
      for (const version of versions) {
        const current = versionState(version, state)
        const look = JSON.stringify([version.id, version.publishedAt, current.derived])
        now.set(version.name, look)
        if (before?.get(version.name) !== look) changed.push(current)
      }
      if (now.size === 0) known.delete(runtimeId)
      else known.set(runtimeId, now)
    }
    return changed
  }
}
