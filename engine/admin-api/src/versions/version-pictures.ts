import type { FeatureDeps } from '../context.ts'
import { shareReads } from '../concurrency/share-reads.ts'
import { readRuntimeState, versionState, type VersionState } from './version-state.ts'

/** A version with a text that is another one whenever something of it looks different. */
type Seen = { readonly state: VersionState; readonly look: string }
/** All versions of a runtime at one moment, by name; newest first. */
export type VersionsPicture = ReadonlyMap<string, Seen>
/** What is read after the call; callers at one moment share it. */
export type ReadPicture = (runtimeId: string) => Promise<VersionsPicture>

const EMPTY: VersionsPicture = new Map()

/**
 * Pictures for all who watch: however many they are, versions are read once for each change, and what has not changed
 * is the same object in the next picture, so that watchers at different moments hold little of their own.
 */
export function createVersionPictures(
  deps: Pick<FeatureDeps, 'versions' | 'releases' | 'placements'>,
): ReadPicture {
  const newest = new Map<string, VersionsPicture>()

  return shareReads(
    (runtimeId: string) => runtimeId,
    async (runtimeId) => {
      const [versions, state] = await Promise.all([
        deps.versions.list(runtimeId),
        readRuntimeState(deps, runtimeId),
      ])
      const before = newest.get(runtimeId) ?? EMPTY
      const picture = new Map<string, Seen>()
      for (const version of versions) {
        const current = versionState(version, state)
        const look = JSON.stringify([version.id, version.publishedAt, current.derived])
        const known = before.get(version.name)
        picture.set(version.name, known?.look === look ? known : { state: current, look })
      }
      if (picture.size === 0) newest.delete(runtimeId)
      else newest.set(runtimeId, picture)
      return picture
    },
  )
}

/** By the later picture, what has changed since the earlier: nearly all watchers ask for the same two. */
const changes = new WeakMap<VersionsPicture, WeakMap<VersionsPicture, readonly VersionState[]>>()

/** Versions that are new or look different. A version that is gone is told by nobody. */
export function changedVersions(
  before: VersionsPicture | undefined,
  now: VersionsPicture,
): readonly VersionState[] {
  const since = before ?? EMPTY
  const ofNow = changes.get(now) ?? new WeakMap<VersionsPicture, readonly VersionState[]>()
  changes.set(now, ofNow)
  const known = ofNow.get(since)
  if (known !== undefined) return known
  const found = [...now].flatMap(([name, seen]) => (since.get(name) === seen ? [] : [seen.state]))
  ofNow.set(since, found)
  return found
}
