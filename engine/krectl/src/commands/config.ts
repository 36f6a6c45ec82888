import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { connectAdmin } from '../api/admin-client.ts'
import { findVersion } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { table } from '../output/output.ts'

export function configCommands(program: Command, context: Context): void {
  const config = program
    .command('config')
    .description("a version's variables and files: values are secrets and never shown")

  config
    .command('get <version>')
    .description('which keys a version has, and which of them are set')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async (name: string, options: { runtime: string }) => {
      const { config: found } = await findVersion(
        await connectAdmin(context.dataDir),
        options.runtime,
        name,
      )
      const rows = found.vars.map((entry) => [
        entry.key,
        entry.type,
        entry.isSet ? 'set' : 'MISSING',
        entry.updatedAt ?? '',
      ])
      context.output.result(
        found,
        table(['KEY', 'TYPE', 'VALUE', 'CHANGED'], rows, 'This version declares no configuration.'),
      )
    })

  config
    .command('set <version> <pairs...>')
    .description(
      'KEY=VALUE, or KEY=@FILE for the contents of a file; a running version takes them by a rolling restart',
    )
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async (name: string, pairs: string[], options: { runtime: string }) => {
      const configurationVariables = await Promise.all(
        pairs.map((pair) => parsePair(pair, context.cwd)),
      )
      const client = await connectAdmin(context.dataDir)
      await client.graphql(
        `mutation ($input: UpdateConfigurationInput!) { updateVersionUserConfiguration(input: $input) { id } }`,
        { input: { versionName: name, runtimeId: options.runtime, configurationVariables } },
      )
      const keys = configurationVariables.map((entry) => entry.key)
      context.output.result({ version: name, set: keys }, `Set ${keys.join(', ')}.`)
    })
}

async function parsePair(pair: string, cwd: string): Promise<{ key: string; value: string }> {
  const at = pair.indexOf('=')
  if (at < 1) throw new UsageError(`"${pair}" is not KEY=VALUE or KEY=@FILE`)
  const [key, value] = [pair.slice(0, at), pair.slice(at + 1)]
  if (!value.startsWith('@')) return { key, value }
  const file = resolve(cwd, value.slice(1))
  return {
    key,
    value: await readFile(file, 'utf8').catch((error: unknown) => {
      throw new UsageError(
        `${key}: ${file} can't be read (${error instanceof Error ? error.message : String(error)})`,
      )
    }),
  }
}
