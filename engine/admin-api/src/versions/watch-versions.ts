import type { FeatureDeps } from '../context.ts'
import { authorize, sees, type Principal } from '../principal.ts'
import { watchChanges } from '../watch/watch-changes.ts'
import { changedVersions, type ReadPicture, type VersionsPicture } from './version-pictures.ts'
import { requireRuntime, type VersionState } from './version-state.ts'

type WatchVersionsDeps = Pick<FeatureDeps, 'runtimes' | 'events'> & { readPicture: ReadPicture }

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
  const readChanged = createChangeReader(deps.readPicture)
  const watch = watchChanges({
    events: deps.events,
    signal,
    isRelevant: (event) =>
      event.type !== 'logs.written' &&
      event.type !== 'upload.wanted' &&
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
  readPicture: ReadPicture,
): (runtimeIds: ReadonlySet<string>) => Promise<VersionState[]> {
  const seen = new Map<string, VersionsPicture>()

  return async function readChanged(runtimeIds) {
    const changed: VersionState[] = []
    for (const runtimeId of runtimeIds) {
      const now = await readPicture(runtimeId)
      changed.push(...changedVersions(seen.get(runtimeId), now))
      if (now.size === 0) seen.delete(runtimeId)
      else seen.set(runtimeId, now)
    }
    return changed
  }
}
