/** `npm run bench -- [--suite NAME] [--quick] [--rounds N] [--json FILE] [--compare FILE] [--svg FILE]` */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openBench, type Suite } from './bench.ts'
import type { BenchReport } from './report/bench-report.ts'
import { barChart } from './report/bar-chart.ts'
import { compareReports } from './report/compare.ts'
import { recordInDocument } from './report/performance-document.ts'
import { digits } from './report/statistics.ts'
import { alignRows } from './report/summarise.ts'
import { batch } from './suites/batch.ts'
import { chains } from './suites/chains.ts'
import { coldStart } from './suites/cold-start.ts'
import { fanOut } from './suites/fan-out.ts'
import { hop } from './suites/hop.ts'
import { memory } from './suites/memory.ts'
import { overload } from './suites/overload.ts'
import { payload } from './suites/payload.ts'
import { peers } from './suites/peers.ts'
import { python } from './suites/python.ts'

const SUITES: Record<string, Suite> = {
  chains,
  /** The same by the name of one. */
  chain: chains,
  hop,
  'fan-out': fanOut,
  python,
  batch,
  payload,
  overload,
  memory,
  'cold-start': coldStart,
  peers,
}
const USAGE = `npm run bench -- [--suite NAME] [--quick] [--rounds N] [--json FILE] [--compare OLD.json] [--svg FILE]
npm run bench -- --record RUN.json

${alignRows(Object.entries(SUITES).map(([name, { about }]) => [`  ${name}`, about])).join('\n')}`

const { values } = parseArgs({
  options: {
    suite: { type: 'string', default: 'chains' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string' },
    compare: { type: 'string' },
    svg: { type: 'string' },
    record: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const say = (line: string) => console.log(line)
const rounds = values.rounds === undefined ? null : Number(values.rounds)
const suite = Object.hasOwn(SUITES, values.suite) ? SUITES[values.suite] : undefined
if (values.help) say(USAGE)
else if (values.record !== undefined) await record(values.record)
else if (suite === undefined) {
  console.error(`there is no suite "${values.suite}"\n\n${USAGE}`)
  process.exitCode = 2
} else if (rounds !== null && !(Number.isInteger(rounds) && rounds > 0)) {
  console.error(`--rounds takes a whole number above 0, not "${values.rounds}"`)
  process.exitCode = 2
} else
  process.exitCode = await measure(suite).catch((error: unknown) => {
    for (const one of reasonsOf(error)) console.error(one)
    return 1
  })

/** An error while all is put away hides the one that led to it. */
function reasonsOf(error: unknown): unknown[] {
  return error instanceof SuppressedError
    ? [...reasonsOf(error.suppressed), ...reasonsOf(error.error)]
    : [error]
}

/** @returns the exit code. */
async function measure(chosen: Suite): Promise<number> {
  // Read before minutes are spent.
  const old =
    values.compare === undefined
      ? null
      : (JSON.parse(await readFile(values.compare, 'utf8')) as BenchReport)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error('interrupted')))
  const report = await run(chosen, interrupted.signal)
  for (const part of [report.ratios, report.figures])
    for (const [name, value] of Object.entries(part)) say(`${name} ${digits(value)}`)
  for (const note of report.notes) say(note)
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
  if (values.svg !== undefined) await writeFile(values.svg, barChart(report))
  const worse = old === null ? [] : sayComparison(old, report)
  if (report.failed > 0) console.error(`${report.failed} calls had no right answer`)
  return report.failed > 0 || worse.length > 0 ? 1 : 0
}

async function run(chosen: Suite, signal: AbortSignal): Promise<BenchReport> {
  await using bench = await openBench({ isQuick: values.quick, rounds, say, signal })
  return await chosen.run(bench)
}

function sayComparison(old: BenchReport, report: BenchReport): string[] {
  const { rows, worse } = compareReports(old, report)
  say('\nCPU per request against the earlier run, relative to the floor of each\n')
  for (const line of alignRows(rows)) say(line)
  if (worse.length > 0) console.error(`worse: ${worse.join(', ')}`)
  return worse
}

/** Puts an earlier run into docs/performance.md. */
async function record(file: string): Promise<void> {
  const docs = resolve(import.meta.dirname, '../../docs')
  const report = JSON.parse(await readFile(file, 'utf8')) as BenchReport
  const document = join(docs, 'performance.md')
  await writeFile(document, recordInDocument(await readFile(document, 'utf8'), report))
  await mkdir(join(docs, 'performance'), { recursive: true })
  await writeFile(join(docs, 'performance', `${report.suite}.svg`), barChart(report))
}
