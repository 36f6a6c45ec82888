/** Times in buckets, as people read them. Pure. */
import { HISTOGRAM_BOUNDS_S } from '@kre/contracts'
import type { TimesCount } from '@kre/store'

/** In milliseconds. A quantile is right within its bucket: between two of `HISTOGRAM_BOUNDS_S`. */
export type Latency = {
  count: number
  mean: number
  p50: number
  p90: number
  p95: number
  p99: number
}

/** Null when nothing was observed. */
export function latencyOf(times: TimesCount | undefined): Latency | null {
  if (times === undefined) return null
  const count = times.buckets.reduce((sum, inBucket) => sum + inBucket, 0)
  if (count === 0) return null
  const at = (q: number) => quantile(times.buckets, count, q) * 1_000
  return {
    count,
    mean: (times.sumS / count) * 1_000,
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
  }
}

/**
 * The value below which a share `q` of the observations lies, evenly spread inside of its bucket; above the last
 * bound, that bound.
 */
function quantile(buckets: readonly number[], count: number, q: number): number {
  const rank = q * count
  let below = 0
  for (const [i, inBucket] of buckets.entries()) {
    const high = HISTOGRAM_BOUNDS_S[i]
    if (high === undefined) break
    if (inBucket > 0 && below + inBucket >= rank) {
      const low = i === 0 ? 0 : (HISTOGRAM_BOUNDS_S[i - 1] ?? 0)
      return low + (high - low) * ((rank - below) / inBucket)
    }
    below += inBucket
  }
  return HISTOGRAM_BOUNDS_S.at(-1) ?? 0
}
