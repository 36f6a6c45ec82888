import type { FieldCondition } from './document-query.ts'

/**
 * Whether a document meets all conditions, exactly as `OutputStore.findDocuments` says. Stores whose own equality is
 * wider find candidates with it and ask here.
 */
export function documentMatches(
  document: Record<string, unknown>,
  conditions: readonly FieldCondition[],
): boolean {
  return conditions.every(({ path, value }) => isMet(valueAt(document, path), value))
}

/** Undefined = absent. Dots reach into objects, not into lists. */
function valueAt(document: Record<string, unknown>, path: readonly string[]): unknown {
  let at: unknown = document
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name))
      return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return at
}

function isMet(found: unknown, wanted: unknown): boolean {
  if (wanted === null && found === undefined) return true
  if (found === undefined) return false
  return (
    isEqual(found, wanted) || (Array.isArray(found) && found.some((item) => isEqual(item, wanted)))
  )
}

/** Objects are equal when their fields are, in the same order. */
function isEqual(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return found === wanted
  if (typeof found !== 'object' || found === null) return false
  return JSON.stringify(found) === JSON.stringify(wanted)
}
