import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import { describePlan, describeStep, markOf } from '../apply/describe-plan.ts'
import { observe } from '../apply/observe.ts'
import { planApply, PRUNABLE, type Plan, type Prune } from '../apply/plan-apply.ts'
import { BadDocuments, readDocuments, type Placed, type Source } from '../apply/read-documents.ts'
import { resolveDesired } from '../apply/resolve-desired.ts'
import { runPlan, type StepOutcome } from '../apply/run-plan.ts'
import type { Context } from '../context.ts'
import { collect } from '../output/collect.ts'
import { confirm } from '../output/confirm.ts'
import { UsageError } from '../output/exit-code.ts'
import { readInput } from '../output/read-input.ts'
import { parseDuration } from '../output/parse-duration.ts'

type Options = {
  filename: string[]
  dryRun?: true
  prune?: Prune | true
  yes?: boolean
  comment: string
  timeout: string
}

export function applyCommand(program: Command, context: Context): void {
  program
    .command('apply')
    .description(
      'make the engine what documents say: settings, runtimes with versions, users; done again, it does nothing',
    )
    .requiredOption(
      '-f, --filename <file>',
      'YAML documents, or - for standard input; may be given again',
      collect,
    )
    .option('--dry-run', 'show what would be done')
    .option(
      '--prune [kinds]',
      `also remove what no document names: ${PRUNABLE.join(', ')}, with commas between them (alone: versions of the runtimes that list some)`,
      parsePrune,
    )
    .option('--yes', 'remove things without being asked')
    .option('--comment <text>', 'why, for the history', 'applied by krectl')
    .option('--timeout <duration>', 'longest wait for a version', '10m')
    .action(async (options: Options) => {
      const timeoutMs = parseDuration(options.timeout)
      const documents = await readAll(options.filename, context)
      const scratchDir = await mkdtemp(join(tmpdir(), 'krectl-apply-'))
      try {
        await apply(documents, { ...options, timeoutMs }, { ...context, scratchDir })
      } finally {
        await rm(scratchDir, { recursive: true, force: true })
      }
    })
}

async function apply(
  documents: readonly Placed[],
  options: Options & { timeoutMs: number },
  context: Context & { scratchDir: string },
): Promise<void> {
  const { output, signal } = context
  const { desired, archives, values } = await resolveDesired(documents, context)
  const client = await connectEngine(context)
  const prune = options.prune === true ? VERSIONS : (options.prune ?? NOTHING)
  const plan = planApply(desired, await observe(client, desired, values, prune), prune)
  if (plan.problems.length > 0) throw new BadDocuments(plan.problems)
  if (options.dryRun === true || plan.steps.length === 0)
    return output.result(toJson(plan, null), describePlan(plan))
  output.step(describePlan(plan))
  await confirmRemovals(plan, options, context)
  const { comment, timeoutMs } = options
  const reconnect = () => connectEngine(context)
  const deps = { client, output, signal, reconnect, archives, values, comment, timeoutMs }
  const { outcomes, failure } = await runPlan(plan.steps, deps)
  output.result(toJson(plan, outcomes), describeOutcomes(outcomes))
  if (failure !== null) throw failure
}

const NOTHING: Prune = new Set()
const VERSIONS: Prune = new Set(['versions'])

async function confirmRemovals({ steps }: Plan, { yes }: Options, context: Context): Promise<void> {
  const removals = steps.filter((step) => markOf(step) === '-')
  if (removals.length === 0) return
  const what = removals.map(describeStep).join('; ')
  await confirm(context, `Things will be removed for good: ${what}`, { yes, always: true })
}

/** @param outcomes null = nothing was to be done, or only shown. */
function toJson({ steps, left }: Plan, outcomes: readonly StepOutcome[] | null): unknown {
  const planned = steps.map((step) => ({ mark: markOf(step), step: describeStep(step) }))
  return { plan: planned, left, applied: outcomes }
}

function describeOutcomes(outcomes: readonly StepOutcome[]): string {
  const count = (wanted: StepOutcome['outcome']) =>
    outcomes.filter(({ outcome }) => outcome === wanted).length
  if (count('failed') === 0) return `Done: ${count('done')} steps.`
  const rows = outcomes.map(({ step, outcome }) => `${outcome.padEnd(8)}  ${step}`)
  return [...rows, '', `${count('done')} done, 1 failed, ${count('not done')} not begun.`].join(
    '\n',
  )
}

function parsePrune(kinds: string): Prune {
  const named = kinds.split(',').map((kind) => kind.trim())
  const known = PRUNABLE.filter((kind) => named.includes(kind))
  if (known.length === named.length) return new Set(known)
  throw new InvalidArgumentError(`It takes ${PRUNABLE.join(', ')}, with commas between them.`)
}

/** @throws UsageError for a file that can't be read, BadDocuments for what is wrong in them. */
async function readAll(names: readonly string[], context: Context): Promise<Placed[]> {
  if (names.filter((name) => name === '-').length > 1)
    throw new UsageError('standard input can be read once: use "-f -" only once')
  const problems: string[] = []
  const documents: Placed[] = []
  for (const name of names) {
    try {
      documents.push(...readDocuments(await readSource(name, context)))
    } catch (error) {
      if (!(error instanceof BadDocuments)) throw error
      problems.push(error.message)
    }
  }
  if (problems.length > 0) throw new BadDocuments(problems)
  if (documents.length === 0) throw new UsageError('there is no document in what was given')
  return documents
}

async function readSource(name: string, context: Context): Promise<Source> {
  const { cwd } = context
  if (name === '-')
    return { name: '<stdin>', folder: cwd, text: await readInput(context, 'the documents') }
  const file = resolve(cwd, name)
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(
      `${name} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  })
  return { name, folder: dirname(file), text: content }
}
