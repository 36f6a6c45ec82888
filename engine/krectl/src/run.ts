import { CommanderError, type Command } from 'commander'
import { formatIssue, toKreError } from '@kre/contracts'
import { BundleRefused } from './api/admin-client.ts'
import type { Context } from './context.ts'
import { EXIT, exitCodeOf } from './output/exit-code.ts'
import { createProgram } from './program.ts'
import { HELP } from './help.ts'

/** Runs one command line. @returns the exit code; everything there is to say was written. */
export async function run(words: readonly string[], context: Context): Promise<number> {
  const args = withDashes(words)
  if (args.length === 0) {
    context.stdout.write(HELP)
    return EXIT.ok
  }
  try {
    await createProgram(context).parseAsync(upToUnknown(createProgram(context), args), {
      from: 'user',
    })
    return EXIT.ok
  } catch (error) {
    if (context.signal.aborted) return EXIT.interrupted
    if (!(error instanceof CommanderError)) report(error, context)
    return exitCodeOf(error)
  }
}

/** The seed spelled its options without dashes as well: `h`, `v`; and `help version create` asks for a page. */
function withDashes(words: readonly string[]): string[] {
  const [first, ...rest] = words
  if (first === 'v') return ['-v', ...withDashes(rest)]
  if (first === 'h' || first === 'help') return [...rest, '--help']
  return [...words]
}

/** Cut after a command that there is none of, or a `--help` behind it would hide that. */
function upToUnknown(program: Command, args: string[]): string[] {
  let command = program
  let rest = args
  while (command.commands.length > 0) {
    const { operands, unknown } = command.parseOptions(rest)
    const [name, ...others] = operands
    if (name === undefined || name === 'help') return args
    const found = command.commands.find((candidate) => candidate.name() === name)
    if (found === undefined) return args.slice(0, args.indexOf(name) + 1)
    command = found
    rest = [...others, ...unknown]
  }
  return args
}

function report(error: unknown, { output, verbose }: Context): void {
  const { code, message, details } = toKreError(error)
  const issues = error instanceof BundleRefused ? error.issues : []
  if (output.json) {
    const more = issues.length > 0 ? { issues } : {}
    output.error(JSON.stringify({ error: { code, message, details, ...more } }))
  } else {
    for (const issue of issues) output.error(formatIssue(issue))
    output.error(`krectl: ${message}`)
  }
  if (verbose && error instanceof Error) output.error(error.stack ?? '')
}
