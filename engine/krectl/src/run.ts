import { CommanderError, type Command } from 'commander'
import { formatIssue, toKreError } from '@kre/contracts'
import { BundleRefused } from './api/admin-client.ts'
import type { Context } from './context.ts'
import { EXIT, exitCodeOf, Interrupted } from './output/exit-code.ts'
import { createProgram } from './program.ts'
import { HELP } from './help.ts'

/** Runs one command line. @returns the exit code; everything there is to say was written. */
export async function run(words: readonly string[], context: Context): Promise<number> {
  const args = withDashes(words)
  if (args.length === 0) {
    context.stdout.write(HELP)
    return EXIT.ok
  }
  // Words that are wrong are found before the options count.
  const json = args.includes('--json')
  try {
    const known = upToUnknown(createProgram(context), args)
    await createProgram(context, { json }).parseAsync(known, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (context.signal.aborted || error instanceof Interrupted) return EXIT.interrupted
    const code = exitCodeOf(error)
    if (!(error instanceof CommanderError)) report(error, context)
    else if (json && code !== EXIT.ok) reportWords(error, context)
    return code
  } finally {
    await context.releases.disposeAsync()
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

/** What the parser of words has written as text otherwise. */
function reportWords({ code, message }: CommanderError, { stderr }: Context): void {
  const what =
    code === 'commander.help'
      ? 'a command is missing: --help names them'
      : message.replace(/^error: /, '')
  const error = { code: 'invalid-argument', message: what, details: {} }
  stderr.write(`${JSON.stringify({ error })}\n`)
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
