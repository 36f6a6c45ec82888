import type { BenchReport } from './bench-report.ts'

/** Noise of the computer, which the floor shares, goes up to about here. */
const WORSE_MIN = 1.15
/** The case that stands for the computer. */
const FLOOR = 'floor'

/**
 * How the CPU per request of each case has changed, relative to how that of the floor has: a computer that is slower
 * today is no one's fault.
 *
 * @returns rows for a table, and the cases that are more than 15 % worse. A case that only one run has is left out.
 * @throws Error when the reports are of different suites or without a floor.
 */
export function compareReports(
  before: BenchReport,
  after: BenchReport,
): { rows: string[][]; worse: string[] } {
  if (before.suite !== after.suite)
    throw new Error(`the earlier run is of suite "${before.suite}", this one of "${after.suite}"`)
  const floorChange = cpuOf(after, FLOOR) / cpuOf(before, FLOOR)
  if (!Number.isFinite(floorChange) || floorChange <= 0)
    throw new Error(`one of the runs has no case "${FLOOR}" to compare by`)
  const rows = [['case', 'before us', 'now us', 'relative change']]
  const worse: string[] = []
  for (const { name, cpuMicrosPerRequest } of after.cases) {
    const earlier = cpuOf(before, name)
    if (!Number.isFinite(earlier) || earlier <= 0) continue
    const change = cpuMicrosPerRequest / earlier / floorChange
    rows.push([
      name,
      earlier.toFixed(1),
      cpuMicrosPerRequest.toFixed(1),
      `${change >= 1 ? '+' : ''}${((change - 1) * 100).toFixed(1)} %`,
    ])
    if (change > WORSE_MIN) worse.push(name)
  }
  return { rows, worse }
}

function cpuOf(report: BenchReport, name: string): number {
  return report.cases.find((entry) => entry.name === name)?.cpuMicrosPerRequest ?? Number.NaN
}
