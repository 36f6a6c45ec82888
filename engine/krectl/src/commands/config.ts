import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
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
        entry.fingerprint ?? '',
        entry.updatedAt ?? '',
      ])
      const head = ['KEY', 'TYPE', 'VALUE', 'FINGERPRINT', 'CHANGED']
      context.output.result(found, table(head, rows, 'This version declares no configuration.'))
    })

  config
    .command('set <version> <pairs...>')
    .description(
      'KEY=VALUE; KEY=@FILE for the contents of a file, KEY=- for standard input, which no list of processes and no history of the shell shows; a running version takes them by a rolling restart',
    )
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option(
      '--if-generation <n>',
      'refuse when somebody changed the configuration since (see "config get --json")',
    )
    .action(setConfig(context))
}

function setConfig(context: Context) {
  return async (
    name: string,
    pairs: string[],
    options: { runtime: string; ifGeneration?: string },
  ): Promise<void> => {
    const generation = parseGeneration(options.ifGeneration)
    if (pairs.filter((pair) => pair.endsWith('=-')).length > 1)
      throw new UsageError('standard input holds one value: use "-" for one key only')
    const configurationVariables = await Promise.all(pairs.map((pair) => parsePair(pair, context)))
    const client = await connectAdmin(context.dataDir)
    await client.graphql(
      `mutation ($input: UpdateConfigurationInput!) { updateVersionUserConfiguration(input: $input) { id } }`,
      {
        input: {
          versionName: name,
          runtimeId: options.runtime,
          configurationVariables,
          ...(generation === null ? {} : { ifGeneration: generation }),
        },
      },
    )
    const keys = configurationVariables.map((entry) => entry.key)
    context.output.result({ version: name, set: keys }, `Set ${keys.join(', ')}.`)
  }
}

function parseGeneration(text: string | undefined): number | null {
  if (text === undefined) return null
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--if-generation "${text}" is not a number`)
  return Number(text)
}

async function parsePair(
  pair: string,
  { cwd, stdin }: Context,
): Promise<{ key: string; value: string }> {
  const at = pair.indexOf('=')
  // Not quoted: without its "=" it may be a value.
  if (at < 1) throw new UsageError('one of the pairs is not KEY=VALUE, KEY=@FILE or KEY=-')
  const [key, value] = [pair.slice(0, at), pair.slice(at + 1)]
  // The line end that `echo` adds is not meant.
  if (value === '-') return { key, value: (await text(stdin)).replace(/\r?\n$/, '') }
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
