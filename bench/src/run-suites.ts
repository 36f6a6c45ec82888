/** Runs suites one after the other, each with an engine of its own: what one has found is kept whatever the next does. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { openBench, type Suite } from './bench.ts'
import { describeComputer } from './measure/describe-computer.ts'
import type { ProfileWish } from './profile/profile-wish.ts'
import { record, recordProfile } from './record.ts'
import { barChart } from './report/bar-chart.ts'
import type { BenchReport } from './report/bench-report.ts'
import { compareReports } from './report/compare.ts'
import { reportLines } from './report/report-lines.ts'
import { alignRows } from './report/summarise.ts'

export type RunOptions = {
  suites: readonly Suite[]
  isQuick: boolean
  rounds: number | null
  /** Puts what was found into docs/performance.md, suite by suite. */
  isRecorded: boolean
  profile: ProfileWish | null
  jsonFile?: string
  /** An earlier run of the one suite. */
  compareFile?: string
  svgFile?: string
  /** For suites that keep their data in MongoDB; null = FerretDB. */
  mongoUri: string | null
}
type Say = (line: string) => void

/** Of the usual rounds. */
const USUAL_ROUNDS = 5
const QUICK_SHARE = 0.4

/** @returns the exit code: 1 when a suite failed, a call had no right answer, or a case has become worse. */
export async function runSuites(
  options: RunOptions,
  say: Say,
  signal: AbortSignal,
): Promise<number> {
  const { suites, jsonFile, compareFile, profile } = options
  await requireGenerator()
  // Read before minutes are spent.
  const old =
    compareFile === undefined
      ? null
      : (JSON.parse(await readFile(compareFile, 'utf8')) as BenchReport)
  const found: BenchReport[] = []
  const broken: string[] = []
  for (const [index, suite] of suites.entries()) {
    say(`${suites.length > 1 ? '\n' : ''}${headline(options, index)}`)
    try {
      found.push(await runSuite(options, suite, say, signal))
    } catch (error) {
      for (const one of reasonsOf(error))
        console.error(one instanceof Error ? (one.stack ?? one.message) : one)
      if (signal.aborted) return 1
      broken.push(suite.name)
    }
    if (jsonFile !== undefined) await writeJson(jsonFile, suites.length > 1, found)
  }
  const worse = old === null ? [] : found.flatMap((report) => sayComparison(old, report, say))
  for (const { suite, failed } of found)
    if (failed > 0) console.error(`suite ${suite}: ${failed} calls had no right answer`)
  if (broken.length > 0) console.error(`suites that failed: ${broken.join(', ')}`)
  if (profile !== null && profile.taken === null)
    console.error(`no suite that was run has a case "${profile.caseName}" to profile`)
  const isMissing = profile !== null && profile.taken === null
  const isWrong = found.some(({ failed }) => failed > 0)
  return isWrong || isMissing || worse.length + broken.length > 0 ? 1 : 0
}

async function runSuite(
  options: RunOptions,
  suite: Suite,
  say: Say,
  signal: AbortSignal,
): Promise<BenchReport> {
  const { isQuick, rounds, isRecorded, profile, svgFile, mongoUri } = options
  const computer = describeComputer()
  const wish = profile?.taken === null ? profile : null
  const measure = async () => {
    await using bench = await openBench({
      suite: suite.name,
      isQuick,
      rounds,
      profile: wish,
      mongoUri,
      ...(suite.store === undefined ? {} : { store: suite.store }),
      say,
      signal,
    })
    return await suite.run(bench)
  }
  const report = { ...(await measure()), computer }
  for (const line of reportLines(report)) say(line)
  if (wish?.taken) say(`profiles are in ${wish.folder}`)
  if (svgFile !== undefined) await writeFile(svgFile, barChart(report))
  if (isRecorded) {
    await record(report)
    if (wish?.taken) await recordProfile(wish.taken)
    say(`recorded in docs/performance.md: ${suite.name}`)
  }
  return report
}

/** `suite 3 of 14: hop, about 3 minutes (35 of all are left)`. */
function headline({ suites, isQuick, rounds }: RunOptions, index: number): string {
  const share = isQuick ? QUICK_SHARE : (rounds ?? USUAL_ROUNDS) / USUAL_ROUNDS
  const minutes = (of: readonly Suite[]) =>
    Math.max(1, Math.round(of.reduce((sum, one) => sum + one.minutes, 0) * share))
  const left = suites.slice(index)
  const name = left[0]?.name ?? ''
  const own = `about ${minutes(left.slice(0, 1))} min`
  if (suites.length === 1) return `suite ${name}, ${own}`
  return `suite ${index + 1} of ${suites.length}: ${name}, ${own}; ${minutes(left)} min until the end of all`
}

async function writeJson(file: string, isMany: boolean, found: BenchReport[]): Promise<void> {
  const [only] = found
  if (only === undefined) return
  const content = isMany ? { suites: found } : only
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`)
}

function sayComparison(old: BenchReport, report: BenchReport, say: Say): string[] {
  const { rows, worse } = compareReports(old, report)
  say('\nCPU per request against the earlier run, relative to the floor of each\n')
  for (const line of alignRows(rows)) say(line)
  if (worse.length > 0) console.error(`worse: ${worse.join(', ')}`)
  return worse
}

/** An error while all is put away hides the one that led to it. */
function reasonsOf(error: unknown): unknown[] {
  return error instanceof SuppressedError
    ? [...reasonsOf(error.suppressed), ...reasonsOf(error.error)]
    : [error]
}

/** @throws Error when there is nothing to make load with, before an engine is started in vain. */
async function requireGenerator(): Promise<void> {
  try {
    await promisify(execFile)('h2load', ['--version'])
  } catch (error) {
    throw new Error(
      'h2load is missing, which makes the load: install it (Debian: nghttp2-client)',
      {
        cause: error,
      },
    )
  }
}
