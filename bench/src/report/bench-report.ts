/** What a run of a suite has found, as `--json` writes it. */

export type BenchCase = {
  name: string
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  cpuMicrosPerRequest: number
}
export type Measure = Exclude<keyof BenchCase, 'name'>
export type Range = [min: number, max: number]

/** Where the figures come from: computers differ, and so do their days. */
export type Computer = {
  processors: string
  memoryGiB: number
  node: string
  /** Of the last minute, before the run: what else the computer does. */
  loadBefore: number
  /** ISO 8601, UTC. */
  measuredAt: string
}

export type BenchReport = {
  suite: string
  rounds: number
  /** What p50Ms and p99Ms are the latency of; "one request at a time" where it is missing. */
  latency?: string
  computer?: Computer
  /** Medians over the rounds. */
  cases: BenchCase[]
  ratios: Record<string, number>
  /** Calls without the right answer, where every call should have had one. */
  failed: number
  /** Least and greatest of the rounds, by case. */
  spreads: Record<string, Record<Measure, Range>>
  /** What is no case and no ratio, its unit in the name. */
  figures: Record<string, number>
  /** What was run and how, in words; also what could not be run here. */
  notes: string[]
}

export const MEASURES: readonly Measure[] = [
  'requestsPerSecond',
  'p50Ms',
  'p99Ms',
  'cpuMicrosPerRequest',
]

export const ALONE_LATENCY = 'one request at a time'
