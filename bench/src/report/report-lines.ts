import type { BenchReport } from './bench-report.ts'
import { boundText, judge, type JudgedGoal, verdict } from './goals.ts'
import { digits } from './statistics.ts'
import { alignRows } from './summarise.ts'

/** Ratios and figures for a terminal, each with the goal that there is for it, and the goals of cases. */
export function reportLines(report: BenchReport): string[] {
  const goals = new Map(judge(report).map((judged) => [judged.goal.metric, judged]))
  const values = { ...report.ratios, ...report.figures }
  const rows = Object.entries(values).map(([name, value]) => [
    name,
    digits(value),
    ...goalCells(goals.get(name)),
  ])
  for (const [name, judged] of goals)
    if (!(name in values))
      rows.push([name, judged.value === null ? '' : digits(judged.value), ...goalCells(judged)])
  const known = [...goals.values()].filter(({ isMet }) => isMet !== null)
  const met = known.filter(({ isMet }) => isMet).length
  return [
    '',
    ...alignRows(rows),
    ...report.notes,
    ...(known.length === 0 ? [] : [`${met} of ${known.length} goals are met`]),
  ]
}

function goalCells(judged: JudgedGoal | undefined): string[] {
  return judged === undefined ? ['', ''] : [`goal ${boundText(judged.goal)}`, verdict(judged)]
}
