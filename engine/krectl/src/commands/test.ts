import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'

/** The one check of the project, the same by hand and in continuous integration. */
const STEPS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['format', ['npm', 'run', '--silent', 'format:check']],
  ['lint', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npm', 'run', '--silent', 'typecheck']],
  ['dead code', ['npm', 'run', '--silent', 'dead-code']],
]

export function testCommand(program: Command, context: Context): void {
  program
    .command('test [patterns...]')
    .description(
      'checks format, lint, types and dead code, and runs all tests (or those whose path matches)',
    )
    .allowUnknownOption()
    .action(async (patterns: string[]) => {
      if (patterns.length === 0)
        for (const [name, command] of STEPS) await runStep(context, name, command)
      await runStep(context, 'tests', ['npm', 'run', '--silent', 'test', '--', ...patterns])
      context.output.step('All checks passed.')
    })
}

async function runStep(
  context: Context,
  name: string,
  [command, ...args]: readonly string[],
): Promise<void> {
  context.output.step(`== ${name}`)
  const child = spawn(command ?? '', args, {
    cwd: context.root,
    // Standard output is for results, which a test run has none of but its exit code.
    stdio: ['ignore', context.output.json ? 2 : 1, 2],
    env: { ...context.environment },
  })
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exit) => resolve(exit ?? 1))
  })
  if (code !== 0) throw new KreError('failed-precondition', `${name}: failed`)
}
