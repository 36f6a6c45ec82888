import type { Release } from '@kre/contracts'
import type { Store, Version } from '@kre/store'
import { authorize, type Principal } from '../principal.ts'
import { readRuntimeState, versionState, type VersionState } from '../versions/version-state.ts'

/** Releases that are looked at: every start, stop, publication and change of a configuration is one. */
const RELEASES_MAX = 500

/**
 * The version that the runtime's public address was meant to serve before the present one, by intent. One that was
 * deleted meanwhile does not count, also when its name was given to another; null = there is none.
 *
 * @throws KreError `not-found` for a runtime that the principal may not see.
 */
export async function findPreviousVersion(
  deps: Pick<Store, 'versions' | 'releases' | 'placements'>,
  query: { principal: Principal; runtimeId: string },
): Promise<VersionState | null> {
  const { principal, runtimeId } = query
  authorize(principal, 'view versions', runtimeId)
  const [history, versions] = await Promise.all([
    deps.releases.history(runtimeId, RELEASES_MAX),
    deps.versions.list(runtimeId),
  ])
  const name = publishedBefore(history, versions)
  const version = versions.find((candidate) => candidate.name === name)
  return version === undefined
    ? null
    : versionState(version, await readRuntimeState(deps, runtimeId))
}

/** @param history newest first. */
export function publishedBefore(
  history: readonly Release[],
  versions: readonly Pick<Version, 'name' | 'createdAt'>[],
): string | null {
  const present = history[0]?.published ?? null
  const createdAt = new Map(versions.map((version) => [version.name, version.createdAt]))
  const release = history.find(({ published, cause }) => {
    if (published === null || published === present) return false
    const created = createdAt.get(published)
    return created !== undefined && created <= cause.at
  })
  return release?.published ?? null
}
