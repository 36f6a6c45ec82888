/** The table of docs/targets.md, from what Jest says of the suite of all targets. Pure. */
import { z } from 'zod'

/** As `jest --json` writes it. */
export const JestReport = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          /** ms */
          duration: z.number().nullish(),
        }),
      ),
    }),
  ),
})
export type JestReport = z.infer<typeof JestReport>

/** @param reports by the name of the target. @returns Markdown. */
export function conformanceTable(reports: Readonly<Record<string, JestReport>>): string {
  const columns = Object.values(reports).map(resultsIn)
  const titles = new Set(columns.flatMap((column) => [...column.keys()]))
  const rows = [...titles].map((title) => [
    title,
    ...columns.map((column) => column.get(title) ?? 'not run'),
  ])
  const head = ['what every target does', ...Object.keys(reports)]
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function resultsIn({ testResults }: JestReport): Map<string, string> {
  const all = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ ancestorTitles }) => ancestorTitles[0]?.endsWith(' as a target') === true)
  return new Map(
    all.map(({ title, status, duration }) => [
      title,
      status === 'passed' ? `passes, ${((duration ?? 0) / 1_000).toFixed(1)} s` : 'FAILS',
    ]),
  )
}

/** Cells of the table whose first column has this name. @returns none when there is no such table. */
export function readTable(markdown: string, firstColumn: string): string[][] {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => cellsOf(line)[0] === firstColumn)
  if (start < 0) return []
  const rest = lines.slice(start + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(0, end < 0 ? undefined : end).map(cellsOf)
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}
