import { NODES_MAX } from './limits.ts'

/** Names with more wrong letters than this are not taken for misspellings. */
const DISTANCE_MAX = 2
/** Candidates looked at, so that a hostile manifest can't buy quadratic work: as many as a workflow has nodes. */
const CANDIDATES_MAX = NODES_MAX

/**
 * The candidate that `name` was probably meant to be, or null.
 * Letters in the other case count as equal; the first of several equally near ones wins.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null
  let bestDistance = DISTANCE_MAX + 1
  let seen = 0
  for (const candidate of candidates) {
    if (++seen > CANDIDATES_MAX) break
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** `did you mean "prepare"?` for a hint, or `otherwise` when nothing is near. */
export function suggestName(
  name: string,
  candidates: Iterable<string>,
  otherwise?: string,
): { hint?: string } {
  const nearest = nearestName(name, candidates)
  if (nearest !== null) return { hint: `did you mean "${nearest}"?` }
  return otherwise === undefined ? {} : { hint: otherwise }
}

/** Insertions, deletions and replacements between two texts; any number from `limit` up may stand for more. */
export function editDistance(a: string, b: string, limit = Infinity): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    let rowMin = i
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const distance = Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1)
      current.push(distance)
      rowMin = Math.min(rowMin, distance)
    }
    if (rowMin >= limit) return limit
    previous = current
  }
  return previous[b.length]!
}
