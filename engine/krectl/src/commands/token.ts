import type { Command } from 'commander'
import { connectAdmin } from '../api/admin-client.ts'
import type { Context } from '../context.ts'
import { parseCount } from '../output/parse-duration.ts'
import { table } from '../output/output.ts'

type ApiToken = {
  id: string
  name: string
  scope: string
  runtimeIds: string[] | null
  lastActivity: string | null
  expirationDate: string
}
const FIELDS = 'id name creationDate lastActivity expirationDate scope runtimeIds'
/** Days that a token lives when nothing else is said: the longest the engine allows. */
const DAYS = '365'

export function tokenCommands(program: Command, context: Context): void {
  const token = program
    .command('token')
    .description('API tokens of whoever holds the local token: for programs that use the admin API')

  token
    .command('create <name>')
    .description('make an API token and print it: it is shown this once')
    .option('--read', 'only for reading')
    .option('-r, --runtime <id...>', 'only for these runtimes')
    .option('--days <number>', 'how long it lives, 1 to 365', DAYS)
    .action(async (name: string, options: { read?: true; runtime?: string[]; days: string }) => {
      const input = {
        name,
        scope: options.read === true ? 'READ' : 'FULL',
        runtimeIds: options.runtime ?? null,
        expiresInDays: parseCount('--days', options.days),
      }
      const client = await connectAdmin(context.dataDir)
      const { generateApiToken } = await client.graphql<{ generateApiToken: string }>(
        'mutation ($input: GenerateApiTokenInput!) { generateApiToken(input: $input) }',
        { input },
      )
      context.output.result({ name, token: generateApiToken }, generateApiToken)
    })

  token
    .command('list')
    .description('the API tokens, without their secrets')
    .action(async () => {
      const client = await connectAdmin(context.dataDir)
      const { me } = await client.graphql<{ me: { apiTokens: ApiToken[] } }>(
        `{ me { apiTokens { ${FIELDS} } } }`,
      )
      const rows = me.apiTokens.map((found) => [
        found.id,
        found.name,
        found.scope,
        found.runtimeIds?.join(' ') ?? 'all',
        found.lastActivity ?? 'never',
        found.expirationDate,
      ])
      context.output.result(
        me.apiTokens,
        table(['ID', 'NAME', 'SCOPE', 'RUNTIMES', 'LAST USED', 'ENDS'], rows, 'No API tokens.'),
      )
    })

  token
    .command('delete <id>')
    .description("delete an API token, also somebody else's")
    .action(async (id: string) => {
      const client = await connectAdmin(context.dataDir)
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
