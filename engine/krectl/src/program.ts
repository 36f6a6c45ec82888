import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { applyCommand } from './commands/apply.ts'
import { auditCommands } from './commands/audit.ts'
import { buildCommand } from './commands/build.ts'
import { callCommand } from './commands/call.ts'
import { completionCommand } from './commands/completion.ts'
import { configCommands } from './commands/config.ts'
import { deleteCommands } from './commands/delete.ts'
import { deployCommand } from './commands/deploy.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { engineMetricsCommand } from './commands/engine-metrics.ts'
import { engineCommands } from './commands/engine.ts'
import { keyCommands } from './commands/keys.ts'
import { krtCommands } from './commands/krt.ts'
import { oipCheckCommand } from './commands/oip-check.ts'
import { profileCommands } from './commands/profile.ts'
import { releaseCommands } from './commands/release.ts'
import { runtimeCommands } from './commands/runtime.ts'
import { settingsCommands } from './commands/settings.ts'
import { startCommand } from './commands/start.ts'
import { testClusterCommands } from './commands/test-cluster.ts'
import { testCommand } from './commands/test.ts'
import { tokenCommands } from './commands/token.ts'
import { uploadCommands } from './commands/upload.ts'
import { userCommands } from './commands/user.ts'
import { versionCommands } from './commands/version.ts'
import { whoamiCommand } from './commands/whoami.ts'
import type { Context } from './context.ts'
import { addGlobalOptions, applyGlobalOptions } from './global-options.ts'
import { HELP } from './help.ts'

/**
 * The command line as data: parse with `program.parseAsync(words, { from: 'user' })`.
 *
 * @param options.json whoever parses says himself what is wrong with the words.
 */
export function createProgram(context: Context, { json } = { json: false }): Command {
  const program = new Command('krectl')
  // Before any command is added: commands inherit it.
  program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => void (json || context.stderr.write(text)),
      outputError: (text, write) => write(text.replace(/^error: /, 'krectl: ')),
    })
    .enablePositionalOptions()
    .showHelpAfterError('See krectl --help, or krectl COMMAND --help.')
    .version(versionOf(context.root), '--version', 'which KRE this is')
  engineCommands(program, context)
  devCommand(program, context)
  doctorCommand(program, context)
  testCommand(program, context)
  testClusterCommands(program, context)
  profileCommands(program, context)
  whoamiCommand(program, context)
  completionCommand(program, context)
  startCommand(program, context)
  buildCommand(program, context)
  deployCommand(program, context)
  deleteCommands(program, context)
  releaseCommands(program, context)
  runtimeCommands(program, context)
  versionCommands(program, context)
  uploadCommands(program, context)
  configCommands(program, context)
  applyCommand(program, context)
  keyCommands(program, context)
  userCommands(program, context)
  tokenCommands(program, context)
  settingsCommands(program, context)
  auditCommands(program, context)
  engineMetricsCommand(program, context)
  krtCommands(program, context)
  callCommand(program, context)
  oipCheckCommand(program, context)
  program.helpInformation = () => HELP
  forEachCommand(program, addGlobalOptions)
  program.hook('preAction', (_program, action) => applyGlobalOptions(action, context))
  return program
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) forEachCommand(child, visit)
}

function versionOf(root: string): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
