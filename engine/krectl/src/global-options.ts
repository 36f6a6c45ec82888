import { Option, type Command } from 'commander'
import type { Context } from './context.ts'
import { createOutput } from './output/output.ts'
import { chooseDataDir, type EngineOptions } from './profiles/choose-engine.ts'

/** Heading of these options in the help of each command. */
export const GLOBAL_OPTIONS_GROUP = 'Options of all commands:'

const GLOBAL_OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ['--json', 'one JSON document on standard output'],
  ['-q, --quiet', 'no progress on standard error'],
  ['-v, --verbose', 'where an error comes from, too'],
  ['--data <dir>', 'the engine of this data folder (default: $KRE_DATA, or .kre of this checkout)'],
  ['--profile <name>', 'the engine of this profile (default: $KRE_PROFILE; see krectl profile)'],
  ['--url <url>', 'the engine at this address'],
  ['--token-file <file>', 'with --url: file with an API token (default: $KRE_TOKEN)'],
  ['--ca <file>', "with --url: the only authorities that may have signed the engine's certificate"],
  ['--insecure-http', 'with --url: send the token unencrypted to another computer'],
]
type GlobalOptions = EngineOptions & { json?: boolean; quiet?: boolean; verbose?: boolean }

/** On every level, so that they can stand anywhere on the line. A command's own option of the same name wins. */
export function addGlobalOptions(command: Command): void {
  for (const [flags, description] of GLOBAL_OPTIONS) {
    const { short, long } = new Option(flags)
    if (command.options.some((own) => own.long === long)) continue
    const isFree = command.options.every((own) => short === undefined || own.short !== short)
    command.addOption(
      new Option(isFree ? flags : `${long}`, description).helpGroup(GLOBAL_OPTIONS_GROUP),
    )
  }
}

/** What stands behind the verb wins over what stands before it. */
export function applyGlobalOptions(action: Command, context: Context): void {
  const levels: Command[] = []
  for (let command: Command | null = action; command !== null; command = command.parent)
    levels.unshift(command)
  const options: GlobalOptions = Object.assign({}, ...levels.map((command) => command.opts()))
  const { data, profile, url, tokenFile, ca, insecureHttp } = options
  context.verbose = options.verbose === true || context.environment['DEBUG'] === '1'
  context.output = createOutput(context.stdout, context.stderr, options)
  context.engineOptions = {
    ...(data === undefined ? {} : { data }),
    ...(profile === undefined ? {} : { profile }),
    ...(url === undefined ? {} : { url }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(ca === undefined ? {} : { ca }),
    ...(insecureHttp === undefined ? {} : { insecureHttp }),
  }
  context.dataDir = chooseDataDir(context.engineOptions, context)
}
