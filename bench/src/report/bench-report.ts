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

export type BenchReport = {
  suite: string
  rounds: number
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
