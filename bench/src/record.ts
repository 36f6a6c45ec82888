/** Figures of real runs in docs/performance.md, and the reports that they come from beside it. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { barChart } from './report/bar-chart.ts'
import type { BenchReport } from './report/bench-report.ts'
import { goalsMarkdown, reportMarkdown, replaceSection } from './report/performance-document.ts'

const docs = resolve(import.meta.dirname, '../../docs')
const document = join(docs, 'performance.md')
const folder = join(docs, 'performance')

/** Puts a report, its chart and its raw figures in the place of those of an earlier run. */
export async function record(report: BenchReport): Promise<void> {
  const text = await readFile(document, 'utf8')
  // First of all, as a document without a place for the suite must not get files either.
  const recorded = replaceSection(text, report.suite, reportMarkdown(report))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${report.suite}.json`), `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(join(folder, `${report.suite}.svg`), barChart(report))
  await writeFile(
    document,
    replaceSection(recorded, 'goals', goalsMarkdown(await recordedReports())),
  )
}

/** @param file as `--json` has written it, of one suite or of all. */
export async function recordFile(file: string): Promise<void> {
  const content = JSON.parse(await readFile(file, 'utf8')) as
    | BenchReport
    | { suites: BenchReport[] }
  for (const report of 'suites' in content ? content.suites : [content]) await record(report)
}

export async function recordProfile(markdown: string): Promise<void> {
  const text = await readFile(document, 'utf8')
  await writeFile(document, replaceSection(text, 'profile', markdown))
}

/** Every report that the document has. */
async function recordedReports(): Promise<BenchReport[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
  return Promise.all(
    names.map(
      async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as BenchReport,
    ),
  )
}
