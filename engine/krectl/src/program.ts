import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { auditCommands } from './commands/audit.ts'
import { callCommand } from './commands/call.ts'
import { clusterCommands } from './commands/cluster.ts'
import { configCommands } from './commands/config.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { engineCommands } from './commands/engine.ts'
import { keyCommands } from './commands/keys.ts'
import { krtCommands } from './commands/krt.ts'
import { oipCheckCommand } from './commands/oip-check.ts'
import { runtimeCommands } from './commands/runtime.ts'
import { settingsCommands } from './commands/settings.ts'
import { testCommand } from './commands/test.ts'
import { tokenCommands } from './commands/token.ts'
import { userCommands } from './commands/user.ts'
import { versionCommands } from './commands/version.ts'
import type { Context } from './context.ts'
import { HELP } from './help.ts'
import { UsageError } from './output/exit-code.ts'
import { createOutput } from './output/output.ts'

/** The command line as data: parse with `program.parseAsync(words, { from: 'user' })`. */
export function createProgram(context: Context): Command {
  const program = new Command('krectl')
  // Before any command is added: commands inherit it.
  program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'krectl: ')),
    })
    .enablePositionalOptions()
    .showHelpAfterError('See krectl --help, or krectl COMMAND --help.')
    .version(versionOf(context.root), '--version', 'which KRE this is')
  engineCommands(program, context)
  devCommand(program, context)
  doctorCommand(program, context)
  testCommand(program, context)
  clusterCommands(program)
  runtimeCommands(program, context)
  versionCommands(program, context)
  configCommands(program, context)
  keyCommands(program, context)
  userCommands(program, context)
  tokenCommands(program, context)
  settingsCommands(program, context)
  auditCommands(program, context)
  krtCommands(program, context)
  callCommand(program, context)
  oipCheckCommand(program, context)
  program.helpInformation = () => HELP
  forEachCommand(program, addGlobalOptions)
  program.hook('preAction', (_program, action) => applyGlobalOptions(action, context))
  return program
}

type GlobalOptions = { json?: boolean; data?: string; quiet?: boolean; verbose?: boolean }

/** On every level, so that they can stand anywhere on the line. */
function addGlobalOptions(command: Command): void {
  const isFree = (flag: string) => command.options.every((option) => option.short !== flag)
  command
    .option('--json', 'one JSON document on standard output')
    .option(
      '--data <dir>',
      'data folder of the engine (default: $KRE_DATA, or .kre of this checkout)',
    )
    .option('-q, --quiet', 'no progress on standard error')
    .option(isFree('-v') ? '-v, --verbose' : '--verbose', 'where an error comes from, too')
}

/** What stands behind the verb wins over what stands before it. */
function applyGlobalOptions(action: Command, context: Context): void {
  const levels: Command[] = []
  for (let command: Command | null = action; command !== null; command = command.parent)
    levels.unshift(command)
  const options: GlobalOptions = Object.assign({}, ...levels.map((command) => command.opts()))
  const { environment } = context
  context.verbose = options.verbose === true || environment['DEBUG'] === '1'
  context.output = createOutput(context.stdout, context.stderr, options)
  if (options.data === '') throw new UsageError('--data needs a folder')
  const data = options.data ?? environment['KRE_DATA']
  if (data !== undefined && data !== '') context.dataDir = resolve(context.cwd, data)
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) forEachCommand(child, visit)
}

function versionOf(root: string): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
