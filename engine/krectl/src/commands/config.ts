import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import { findVersion, setConfiguration, type ConfigurationValue } from '../api/versions.ts'
import { parseEnvFile } from '../config/parse-env-file.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { readInput } from '../output/read-input.ts'
import { table } from '../output/output.ts'

type ChangeOptions = { runtime: string; ifGeneration?: string }

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
        await connectEngine(context),
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
    .command('set <version> [pairs...]')
    .description(
      'KEY=@FILE for the contents of a file, KEY=- for standard input; KEY=VALUE for what is no secret, because lists of processes and the history of the shell show it; a running version takes them by a rolling restart',
    )
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--env-file <file>', 'a file with KEY=VALUE lines, or - for standard input')
    .option(
      '--if-generation <n>',
      'refuse when somebody changed the configuration since (see "config get --json")',
    )
    .action(setConfig(context))

  config
    .command('unset <version> <keys...>')
    .description('take values away; refused for keys that a running version needs')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--if-generation <n>', 'refuse when somebody changed the configuration since')
    .action(async (name: string, keys: string[], options: ChangeOptions) => {
      const generation = parseGeneration(options.ifGeneration)
      const client = await connectEngine(context)
      const values = keys.map((key) => ({ key, value: '' }))
      await setConfiguration(client, { ...options, versionName: name, values, generation })
      reportChange(context, name, values)
    })
}

function setConfig(context: Context) {
  return async (
    name: string,
    pairs: string[],
    options: ChangeOptions & { envFile?: string },
  ): Promise<void> => {
    const generation = parseGeneration(options.ifGeneration)
    const fromStdin = pairs.filter((pair) => pair.endsWith('=-')).length
    if (fromStdin + (options.envFile === '-' ? 1 : 0) > 1)
      throw new UsageError(
        'standard input is read once: use "-" for one key only, or for --env-file',
      )
    const values = [
      ...(options.envFile === undefined ? [] : await readEnvFile(options.envFile, context)),
      ...(await Promise.all(pairs.map((pair) => parsePair(pair, context)))),
    ]
    if (values.length === 0) throw new UsageError('name a KEY=VALUE pair, or an --env-file')
    const open = pairs.filter((pair) => !/=(?:-$|@)/.test(pair)).map((pair) => pair.split('=')[0])
    if (open.length > 0)
      context.output.step(
        `${open.join(', ')}: lists of processes and the shell's history show a value on the command line; KEY=@FILE and KEY=- keep a secret`,
      )
    const client = await connectEngine(context)
    await setConfiguration(client, { ...options, versionName: name, values, generation })
    reportChange(context, name, values)
  }
}

/** An empty value takes its key's away. */
function reportChange(
  { output }: Context,
  version: string,
  values: readonly { key: string; value: string }[],
): void {
  const { set = [], unset = [] } = Object.groupBy(values, ({ value }) =>
    value === '' ? 'unset' : 'set',
  )
  const keys = { set: set.map(({ key }) => key), unset: unset.map(({ key }) => key) }
  const said = ([word, names]: readonly [string, readonly string[]]) =>
    names.length === 0 ? [] : [`${word} ${names.join(', ')}.`]
  const all = [['Set', keys.set] as const, ['Unset', keys.unset] as const]
  output.result({ version, ...keys }, all.flatMap(said).join(' '))
}

function parseGeneration(number: string | undefined): number | null {
  if (number === undefined) return null
  if (!/^\d{1,9}$/.test(number)) throw new UsageError(`--if-generation "${number}" is not a number`)
  return Number(number)
}

async function readEnvFile(name: string, context: Context): Promise<readonly ConfigurationValue[]> {
  const content =
    name === '-'
      ? await readInput(context, 'lines of KEY=VALUE')
      : await readFile(resolve(context.cwd, name), 'utf8').catch((error: unknown) => {
          throw new UsageError(
            `${name} can't be read (${error instanceof Error ? error.message : String(error)})`,
          )
        })
  return parseEnvFile(content, name === '-' ? 'standard input' : name).map(({ key, value }) => ({
    key,
    value,
  }))
}

async function parsePair(pair: string, context: Context): Promise<ConfigurationValue> {
  const at = pair.indexOf('=')
  // Not quoted: without its "=" it may be a value.
  if (at < 1) throw new UsageError('one of the pairs is not KEY=VALUE, KEY=@FILE or KEY=-')
  const [key, value] = [pair.slice(0, at), pair.slice(at + 1)]
  // The line end that `echo` adds is not meant.
  if (value === '-')
    return { key, value: (await readInput(context, `the value of ${key}`)).replace(/\r?\n$/, '') }
  if (!value.startsWith('@')) return { key, value }
  const file = resolve(context.cwd, value.slice(1))
  return {
    key,
    value: await readFile(file, 'utf8').catch((error: unknown) => {
      throw new UsageError(
        `${key}: ${file} can't be read (${error instanceof Error ? error.message : String(error)})`,
      )
    }),
  }
}
