/** docs/performance.md: words by hand, tables of recorded runs between markers. */
import type { BenchReport, Measure } from './bench-report.ts'
import { digits } from './statistics.ts'

const COLUMNS: [Measure, string][] = [
  ['requestsPerSecond', 'requests/s'],
  ['cpuMicrosPerRequest', 'CPU us/request'],
  ['p50Ms', 'p50 ms'],
  ['p99Ms', 'p99 ms'],
]

/**
 * Puts the tables of a run in the place of those of an earlier one.
 *
 * @throws Error when the document has no place for the suite.
 */
export function recordInDocument(document: string, report: BenchReport): string {
  const [begin, end] = [`<!-- ${report.suite} -->`, `<!-- /${report.suite} -->`]
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from)
    throw new Error(`the document has no place for suite "${report.suite}": ${begin} … ${end}`)
  const before = document.slice(0, from + begin.length)
  return `${before}\n${reportMarkdown(report)}\n${document.slice(to)}`
}

/** Tables of medians with their ranges, of ratios and of figures, and the plot. */
export function reportMarkdown(report: BenchReport): string {
  const { suite, rounds, cases, spreads, ratios, figures, notes } = report
  const rows = cases.map((entry) => [
    entry.name,
    ...COLUMNS.map(([measure]) => {
      const [min, max] = spreads[entry.name]?.[measure] ?? [entry[measure], entry[measure]]
      return `${digits(entry[measure])} (${digits(min)}-${digits(max)})`
    }),
  ])
  return [
    `Median (min-max) of ${rounds} rounds.`,
    table(['case', ...COLUMNS.map(([, title]) => title)], rows),
    values('ratio', ratios),
    values('figure', figures),
    notes.map((note) => `- ${note}`).join('\n'),
    `![${suite}: bars of the table's medians](performance/${suite}.svg)`,
  ]
    .filter((part) => part !== '')
    .map((part) => `\n${part}`)
    .join('\n')
}

function values(kind: string, entries: Record<string, number>): string {
  const rows = Object.entries(entries).map(([name, value]) => [name, digits(value)])
  return rows.length === 0 ? '' : table([kind, ''], rows)
}

function table(header: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(header),
    line(header.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map(line),
  ].join('\n')
}
