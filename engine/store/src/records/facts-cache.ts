import { BundleFacts, MiB } from '@kre/contracts'

/** JSON of facts that are kept parsed: some thousands of versions. They take two to three times that in memory. */
const CHARS_MAX = 16 * MiB

/** What is known of a version's bundle, parsed once: it never changes, and lists of versions ask for all of it. */
export type FactsCache = {
  /** @param read gives the JSON that was stored, null when there is none any more; asked when it is not known. */
  get(versionId: string, read: () => string | null): BundleFacts | null
  /** Null = they have to be read: for stores that read many at once. */
  find(versionId: string): BundleFacts | null
}

type Known = { readonly facts: BundleFacts; readonly chars: number }

/** Those that were asked for last stay. */
export function createFactsCache(charsMax = CHARS_MAX): FactsCache {
  const known = new Map<string, Known>()
  let chars = 0

  function find(versionId: string): BundleFacts | null {
    const found = known.get(versionId)
    if (found === undefined) return null
    known.delete(versionId)
    known.set(versionId, found)
    return found.facts
  }

  function keep(versionId: string, json: string): BundleFacts {
    const facts = BundleFacts.parse(JSON.parse(json))
    known.set(versionId, { facts, chars: json.length })
    chars += json.length
    for (const [oldest, { chars: freed }] of known) {
      if (chars <= charsMax) break
      known.delete(oldest)
      chars -= freed
    }
    return facts
  }

  return {
    find,
    get(versionId, read) {
      const found = find(versionId)
      if (found !== null) return found
      const json = read()
      return json === null ? null : keep(versionId, json)
    },
  }
}
