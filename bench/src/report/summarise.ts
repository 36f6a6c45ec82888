import { ALONE_LATENCY, type BenchCase, type BenchReport, MEASURES } from './bench-report.ts'
import { median, spread } from './statistics.ts'

/** One round of one case. */
export type Sample = Omit<BenchCase, 'name'> & { failed: number }
export type Samples = ReadonlyMap<string, readonly Sample[]>

/** Medians and ranges of the rounds. */
export function summarise(
  suite: string,
  samples: Samples,
  more: Partial<Pick<BenchReport, 'figures' | 'notes' | 'latency'>> & {
    ratios?: (cpuOf: (name: string) => number) => Record<string, number>
  } = {},
): BenchReport {
  const cases: BenchCase[] = []
  const spreads: BenchReport['spreads'] = {}
  let failed = 0
  for (const [name, rounds] of samples) {
    const valuesOf = (measure: (typeof MEASURES)[number]) => rounds.map((round) => round[measure])
    const medians = MEASURES.map((measure) => [measure, median(valuesOf(measure))] as const)
    cases.push({ name, ...(Object.fromEntries(medians) as Omit<BenchCase, 'name'>) })
    spreads[name] = Object.fromEntries(
      MEASURES.map((measure) => {
        const values = valuesOf(measure)
        return [measure, [Math.min(...values), Math.max(...values)]]
      }),
    ) as BenchReport['spreads'][string]
    failed += rounds.reduce((sum, round) => sum + round.failed, 0)
  }
  const cpuOf = (name: string) =>
    cases.find((entry) => entry.name === name)?.cpuMicrosPerRequest ?? Number.NaN
  return {
    suite,
    rounds: Math.max(0, ...[...samples.values()].map((rounds) => rounds.length)),
    latency: more.latency ?? ALONE_LATENCY,
    cases,
    ratios: more.ratios?.(cpuOf) ?? {},
    failed,
    spreads,
    figures: more.figures ?? {},
    notes: more.notes ?? [],
  }
}

/** Rows for a terminal: median (min-max) of each case. @param latency where p50 and p99 were taken. */
export function sampleRows(samples: Samples, latency: 'alone' | 'loaded' = 'alone'): string[][] {
  const when = latency === 'alone' ? ' at 1' : ''
  const quantiles = ['p50', 'p99'].map((name) => `${name} ms${when}`)
  const rows = [['case', 'requests/s', 'CPU us/request', ...quantiles, 'failed']]
  for (const [name, rounds] of samples)
    rows.push([
      name,
      spread(rounds.map((round) => round.requestsPerSecond)),
      spread(rounds.map((round) => round.cpuMicrosPerRequest)),
      spread(rounds.map((round) => round.p50Ms)),
      spread(rounds.map((round) => round.p99Ms)),
      String(rounds.reduce((sum, round) => sum + round.failed, 0)),
    ])
  return rows
}

/** Columns side by side, two blanks between them. */
export function alignRows(rows: readonly string[][]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
