import { resolve } from 'node:path'
import { Command } from 'commander'
import { callCommand } from './commands/call.ts'
import { clusterCommands } from './commands/cluster.ts'
import { configCommands } from './commands/config.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { engineCommands } from './commands/engine.ts'
import { krtCommands } from './commands/krt.ts'
import { runtimeCommands } from './commands/runtime.ts'
import { testCommand } from './commands/test.ts'
import { versionCommands } from './commands/version.ts'
import type { Context } from './context.ts'
import { HELP } from './help.ts'
import { createOutput } from './output/output.ts'

/** The command line as data: parse with `program.parseAsync(words, { from: 'user' })`. */
export function createProgram(context: Context): Command {
  const program = new Command('krectl')
  program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .configureHelp({ showGlobalOptions: true })
    .enablePositionalOptions()
  engineCommands(program, context)
  devCommand(program, context)
  doctorCommand(program, context)
  testCommand(program, context)
  clusterCommands(program)
  runtimeCommands(program, context)
  versionCommands(program, context)
  configCommands(program, context)
  krtCommands(program, context)
  callCommand(program, context)
  program.helpInformation = () => HELP
  forEachCommand(program, (command) => {
    if (command === program) return
    command.exitOverride().configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    if (command.commands.length > 0) return
    command
      .option('--json', 'machine-readable output')
      .option('--data <dir>', 'data folder of the engine (default: .kre of this checkout)')
    command.hook('preAction', (_this, action) => {
      const options = action.opts<{ json?: boolean; data?: string }>()
      context.output = createOutput(context.stdout, context.stderr, options.json === true)
      const data = options.data ?? context.environment['KRE_DATA']
      if (data !== undefined) context.dataDir = resolve(context.cwd, data)
    })
  })
  return program
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) forEachCommand(child, visit)
}
