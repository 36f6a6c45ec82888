import { MINUTE_MS } from '@kre/contracts'
import type { Store } from '@kre/store'

/** A version that is made or deleted is noticed after so long. */
const FRESH_MS = MINUTE_MS
const VERSIONS_MAX = 2_000

/** Ids of a version's workflows, and of the nodes of each. */
export type VersionParts = ReadonlyMap<string, ReadonlySet<string>>
export type KnownVersions = (runtimeId: string, version: string) => Promise<VersionParts | null>

/**
 * What is there to be seen: processes run user code, and what they say of versions and nodes that are not there must
 * not fill the store.
 */
export function createKnownVersions(
  { versions }: Pick<Store, 'versions'>,
  now: () => Date,
): KnownVersions {
  const known = new Map<string, { parts: VersionParts | null; untilMs: number }>()
  return async function find(runtimeId, version) {
    const key = `${runtimeId}/${version}`
    const found = known.get(key)
    if (found !== undefined && found.untilMs > now().getTime()) return found.parts
    const facts = (await versions.find(runtimeId, version))?.facts
    const parts =
      facts === undefined
        ? null
        : new Map(
            facts.manifest.workflows.map(({ id, nodes }) => [
              id,
              new Set(nodes.map((node) => node.id)),
            ]),
          )
    if (known.size >= VERSIONS_MAX) known.clear()
    known.set(key, { parts, untilMs: now().getTime() + FRESH_MS })
    return parts
  }
}
