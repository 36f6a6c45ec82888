/** `npm run bench -- [--suite NAME|all] …`: see `--help`. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { alignRows } from './report/summarise.ts'
import { recordFile } from './record.ts'
import { type RunOptions, runSuites } from './run-suites.ts'
import { SUITES, suitesBy } from './suites.ts'

const USAGE = `npm run bench -- [--suite NAME|all] [--quick] [--rounds N] [--json FILE] [--record]
npm run bench -- [--suite NAME] [--compare OLD.json] [--svg FILE]
npm run bench -- --suite control-mongo [--mongo URI] …
npm run bench -- [--suite NAME] --profile FOLDER [--case NAME]
npm run bench -- --record RUN.json

${alignRows(SUITES.map(({ name, about }) => [`  ${name}`, about])).join('\n')}`

/** Options that make no sense, by what the user reads of them. */
class UsageError extends Error {}

function optionsOf(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      suite: { type: 'string', default: 'chains' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'string' },
      compare: { type: 'string' },
      svg: { type: 'string' },
      record: { type: 'boolean', default: false },
      profile: { type: 'string' },
      mongo: { type: 'string' },
      case: { type: 'string', default: 'chain3' },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = values.rounds === undefined ? null : Number(values.rounds)
  if (rounds !== null && !(Number.isInteger(rounds) && rounds > 0))
    throw new UsageError(`--rounds takes a whole number above 0, not "${values.rounds}"`)
  const [file, ...more] = positionals
  if (more.length > 0 || (file !== undefined && !values.record))
    throw new UsageError(`"${positionals.at(-1)}" is no option`)
  if (values.record && values.quick)
    throw new UsageError('--quick is too short for figures that others read: leave it or --record')
  const suites = suitesBy(values.suite)
  if (suites.length === 0) throw new UsageError(`there is no suite "${values.suite}"`)
  if (values.mongo !== undefined && !suites.some(({ store }) => store === 'mongodb'))
    throw new UsageError(`--mongo is for suites on MongoDB, and "${values.suite}" is none`)
  for (const one of ['compare', 'svg'] as const)
    if (values[one] !== undefined && suites.length > 1)
      throw new UsageError(`--${one} is for one suite, not for "${values.suite}"`)
  const { quick, json, compare, svg, record, profile, help } = values
  const run: RunOptions = {
    suites,
    isQuick: quick,
    rounds,
    isRecorded: record,
    mongoUri: values.mongo ?? null,
    profile:
      profile === undefined
        ? null
        : { folder: resolve(profile), caseName: values.case, taken: null },
    ...(json === undefined ? {} : { jsonFile: json }),
    ...(compare === undefined ? {} : { compareFile: compare }),
    ...(svg === undefined ? {} : { svgFile: svg }),
  }
  return { help, run, file }
}

/** @returns the exit code. */
async function main(): Promise<number> {
  const { help, run, file } = optionsOf(process.argv.slice(2))
  if (help) {
    console.log(USAGE)
    return 0
  }
  if (file !== undefined) {
    await recordFile(file)
    return 0
  }
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error('interrupted')))
  return runSuites(run, (line) => console.log(line), interrupted.signal)
}

process.exitCode = await main().catch((error: unknown) => {
  const isUsage =
    error instanceof UsageError ||
    (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  if (!isUsage) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  return 2
})
