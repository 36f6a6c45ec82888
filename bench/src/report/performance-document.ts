/** docs/performance.md: words by hand, tables of recorded runs between markers. */
import { ALONE_LATENCY, type BenchReport, type Measure } from './bench-report.ts'
import { boundText, GOALS, judge, type JudgedGoal, verdict } from './goals.ts'
import { markdownTable } from './markdown-table.ts'
import { digits } from './statistics.ts'

const COLUMNS: [Measure, string][] = [
  ['requestsPerSecond', 'requests/s'],
  ['cpuMicrosPerRequest', 'CPU us/request'],
  ['p50Ms', 'p50 ms'],
  ['p99Ms', 'p99 ms'],
]

/**
 * Puts text between the markers of a section, in the place of what an earlier run has left there.
 *
 * @throws Error when the document has no such markers.
 */
export function replaceSection(document: string, section: string, text: string): string {
  const [begin, end] = [`<!-- ${section} -->`, `<!-- /${section} -->`]
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from)
    throw new Error(`the document has no place for "${section}": ${begin} … ${end}`)
  return `${document.slice(0, from + begin.length)}\n\n${text}\n${document.slice(to)}`
}

/** Tables of medians with their ranges, of ratios, figures and goals, and the plot. */
export function reportMarkdown(report: BenchReport): string {
  const { suite, cases, spreads, ratios, figures, notes } = report
  const rows = cases.map((entry) => [
    entry.name,
    ...COLUMNS.map(([measure]) => {
      const [min, max] = spreads[entry.name]?.[measure] ?? [entry[measure], entry[measure]]
      return `${digits(entry[measure])} (${digits(min)}-${digits(max)})`
    }),
  ])
  return [
    headline(report),
    markdownTable(['case', ...COLUMNS.map(([, title]) => title)], rows),
    values('ratio', ratios),
    values('figure', figures),
    goalTable(judge(report)),
    notes.map((note) => `- ${note}`).join('\n'),
    `![${suite}: bars of the table's medians](performance/${suite}.svg)`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** All goals there are, with what the recorded runs have for them. */
export function goalsMarkdown(reports: readonly BenchReport[]): string {
  const judged = GOALS.map((goal): JudgedGoal => {
    const report = reports.find(({ suite }) => suite === goal.suite)
    const found = report && judge(report).find((one) => one.goal === goal)
    return found ?? { goal, value: null, isMet: null }
  })
  const known = judged.filter(({ isMet }) => isMet !== null)
  const met = known.filter(({ isMet }) => isMet).length
  const words = `${met} of ${GOALS.length} goals are met, ${known.length - met} are missed, ${GOALS.length - known.length} are not measured in the recorded runs.`
  return `${words}\n\n${goalTable(judged)}`
}

function headline({ rounds, latency = ALONE_LATENCY, computer, failed }: BenchReport): string {
  const sentences = [`Median (min-max) of ${rounds} rounds`, `latency: ${latency}`]
  if (computer !== undefined) {
    const { processors, memoryGiB, node, loadBefore, measuredAt } = computer
    sentences.push(
      `${measuredAt.slice(0, 10)}, ${processors}, ${memoryGiB} GiB, Node.js ${node}, load average before ${digits(loadBefore)}`,
    )
  }
  if (failed > 0) sentences.push(`**${failed} calls had no right answer**`)
  return `${sentences.join('; ')}.`
}

function goalTable(judged: readonly JudgedGoal[]): string {
  if (judged.length === 0) return ''
  const rows = judged.map((one) => [
    one.goal.what,
    boundText(one.goal),
    one.value === null ? '-' : digits(one.value),
    one.isMet === false ? '**missed**' : verdict(one),
  ])
  return markdownTable(['goal', 'bound', 'measured', ''], rows)
}

function values(kind: string, entries: Record<string, number>): string {
  const rows = Object.entries(entries).map(([name, value]) => [name, digits(value)])
  return rows.length === 0 ? '' : markdownTable([kind, ''], rows)
}
