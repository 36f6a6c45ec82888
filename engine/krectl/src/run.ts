import { CommanderError } from 'commander'
import { formatIssue, toKreError } from '@kre/contracts'
import { BundleRefused } from './api/admin-client.ts'
import type { Context } from './context.ts'
import { EXIT, exitCodeOf } from './output/exit-code.ts'
import { printable } from './output/output.ts'
import { createProgram } from './program.ts'
import { HELP } from './help.ts'

/** Runs one command line. @returns the exit code; everything there is to say was written. */
export async function run(words: readonly string[], context: Context): Promise<number> {
  // The seed spelled its options without dashes as well.
  const args = words.map((word, i) => (i === 0 && word === 'h' ? '--help' : word))
  const verbose = args[0] === '-v' || args[0] === 'v'
  if (verbose) args.shift()
  if (args.length === 0) {
    context.stdout.write(HELP)
    return EXIT.ok
  }
  try {
    await createProgram(context).parseAsync(args, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (context.signal.aborted) return 130
    if (!(error instanceof CommanderError)) report(error, context, verbose)
    return exitCodeOf(error)
  }
}

function report(error: unknown, context: Context, verbose: boolean): void {
  if (error instanceof BundleRefused && !context.output.json) {
    for (const issue of error.issues) context.stderr.write(`${printable(formatIssue(issue))}\n`)
  }
  const { code, message, details } = toKreError(error)
  if (context.output.json) {
    const issues = error instanceof BundleRefused ? { issues: error.issues } : {}
    context.stderr.write(`${JSON.stringify({ error: { code, message, details, ...issues } })}\n`)
  } else context.stderr.write(`krectl: ${printable(message)}\n`)
  if (verbose && error instanceof Error) context.stderr.write(`${error.stack}\n`)
}
