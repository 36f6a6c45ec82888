import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { toKreError } from '@kre/contracts'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { runStep } from './run-step.ts'

type TestPlace = {
  environment?: Readonly<Record<string, string>>
  /** Program with its options that runs them, as nsenter in another network. */
  inside?: readonly string[]
}

/** What is read of Jest's results (its option --json). */
const Results = z.object({
  testResults: z.array(z.object({ name: z.string(), status: z.string() })),
})

const JEST = ['npm', 'run', '--silent', 'test', '--']

/**
 * Runs tests. Files that fail are run once more, one after the other, when all others are done: tests share the
 * computer with each other, and wait with deadlines. What fails alone fails the run; what doesn't is named.
 *
 * @param args of Jest: options and patterns of paths.
 * @throws KreError `failed-precondition` when a file failed twice, or the run ended without results.
 */
export async function runTests(
  context: Context,
  name: string,
  args: readonly string[],
  { environment = {}, inside = [] }: TestPlace = {},
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'kre-tests-'))
  const file = join(dir, 'results.json')
  try {
    const command = [...inside, ...JEST, '--json', `--outputFile=${file}`, ...args]
    await runStep(context, name, command, environment).catch(async (error: unknown) => {
      const failed = failedFiles(file)
      if (failed.length === 0) throw toKreError(error)
      await runStep(
        context,
        `${name}: the ${failed.length} that failed, alone`,
        [...inside, ...JEST, '--runInBand', '--runTestsByPath', ...failed],
        environment,
      )
      const shown = failed.map((path) => `\n  ${relative(context.root, path)}`).join('')
      context.output.step(`== Failed beside others and passed alone:${shown}`)
    })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Empty where the run wrote no results, as it was ended. */
function failedFiles(resultsFile: string): string[] {
  try {
    const { testResults } = Results.parse(JSON.parse(readFileSync(resultsFile, 'utf8')))
    return testResults.filter(({ status }) => status === 'failed').map(({ name }) => name)
  } catch {
    return []
  }
}
