import { resolve } from 'node:path'
import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { API_TOKEN_FIELDS, apiTokensTable, type ApiToken } from '../output/api-tokens-table.ts'
import { confirm } from '../output/confirm.ts'
import { parseCount } from '../output/parse-duration.ts'
import { writeNewPrivate } from '../output/write-new-private.ts'

/** Days that a token lives when nothing else is said: the longest the engine allows. */
const DAYS = '365'
type CreateOptions = { read?: true; runtime?: string[]; days: string; output?: string }

export function tokenCommands(program: Command, context: Context): void {
  const token = program
    .command('token')
    .description('your API tokens, for programs that use the admin API')

  token
    .command('create <name>')
    .description('make an API token and print it: it is shown this once')
    .option('--read', 'only for reading')
    .option('-r, --runtime <id...>', 'only for these runtimes')
    .option('--days <number>', 'how long it lives, 1 to 365', DAYS)
    .option('-o, --output <file>', 'write it into a new file for you alone, and show it nowhere')
    .action(async (name: string, options: CreateOptions) => {
      const input = {
        name,
        scope: options.read === true ? 'READ' : 'FULL',
        runtimeIds: options.runtime ?? null,
        expiresInDays: parseCount('--days', options.days),
      }
      const client = await connectEngine(context)
      const makeToken = async () => {
        const { generateApiToken } = await client.graphql<{ generateApiToken: string }>(
          'mutation ($input: GenerateApiTokenInput!) { generateApiToken(input: $input) }',
          { input },
        )
        return generateApiToken
      }
      if (options.output === undefined) {
        const made = await makeToken()
        return context.output.result({ name, token: made }, made)
      }
      const file = resolve(context.cwd, options.output)
      await writeNewPrivate(file, makeToken)
      context.output.result({ name, file }, `The API token "${name}" is in ${file}.`)
    })

  token
    .command('list')
    .description('the API tokens, without their secrets')
    .action(async () => {
      const client = await connectEngine(context)
      const { me } = await client.graphql<{ me: { apiTokens: ApiToken[] } }>(
        `{ me { apiTokens { ${API_TOKEN_FIELDS} } } }`,
      )
      context.output.result(me.apiTokens, apiTokensTable(me.apiTokens))
    })

  token
    .command('delete <id>')
    .description("delete an API token, also somebody else's")
    .option('--yes', 'without being asked on a terminal')
    .action(async (id: string, { yes }: { yes?: boolean }) => {
      const client = await connectEngine(context)
      await confirm(context, `Programs that use the API token ${id} will be refused`, { yes })
      const { deleteApiToken } = await client.graphql<{ deleteApiToken: { name: string } }>(
        'mutation ($input: DeleteApiTokenInput!) { deleteApiToken(input: $input) { name } }',
        { input: { id } },
      )
      context.output.result(
        { id, deleted: true },
        `The API token "${deleteApiToken.name}" is deleted.`,
      )
    })
}
