import { spawn } from 'node:child_process'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'

/** Runs a step of the checks, whose output is its reader's. @throws KreError `failed-precondition` when it fails. */
export async function runStep(
  context: Context,
  name: string,
  [command, ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  context.output.step(`== ${name}`)
  const child = spawn(command ?? '', args, {
    cwd: context.root,
    // Standard output is for results, which a test run has none of but its exit code.
    stdio: ['ignore', context.output.json ? 2 : 1, 2],
    env: { ...context.environment, ...environment },
  })
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exit) => resolve(exit ?? 1))
  })
  if (code !== 0) throw new KreError('failed-precondition', `${name}: failed`)
}
