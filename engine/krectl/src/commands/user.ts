import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { confirm } from '../output/confirm.ts'
import { UsageError } from '../output/exit-code.ts'
import { listOrNone } from '../output/list-or-none.ts'
import { addPageOptions, readList, type ListOptions } from '../output/page-options.ts'
import { table } from '../output/output.ts'
import { apiTokensTable, API_TOKEN_FIELDS, type ApiToken } from '../output/api-tokens-table.ts'
import { createLoginUrl } from '../api/login-url.ts'

type Grant = { runtimeId: string; accessLevel: string }
type Login = {
  id: string
  method: string
  userAgent: string
  creationDate: string
  lastActivity: string
  expirationDate: string
}
type User = {
  id: string
  accessLevel: string
  globalAccessLevel: string | null
  grants: Grant[]
  lastActivity: string | null
  activeSessions: number
}
const FIELDS =
  'id accessLevel globalAccessLevel grants { runtimeId accessLevel } lastActivity activeSessions'
const LOGIN_FIELDS = 'id method userAgent creationDate lastActivity expirationDate isCurrent'

export function userCommands(program: Command, context: Context): void {
  adminCommand(program, context)
  const user = program.command('user').description('who may use this engine, and how')
  listCommand(user, context)
  createCommand(user, context)
  changeCommands(user, context)
  loginCommands(user, context)
}

/** The first administrator: made with the local token, signed in by a link that works once. */
function adminCommand(program: Command, context: Context): void {
  program
    .command('admin')
    .description('administrators')
    .command('create <email>')
    .description('make an administrator, and a link that signs a browser in as them, once')
    .action(async (email: string) => {
      const client = await connectEngine(context)
      const input = { email, accessLevel: 'ADMIN' }
      const { createUser } = await client.graphql<{ createUser: User }>(
        `mutation ($input: CreateUserInput!) { createUser(input: $input) { ${FIELDS} } }`,
        { input },
      )
      const url = await createLoginUrl(client, { renew: true, user: createUser.id })
      context.output.result(
        { ...createUser, url },
        `"${createUser.id}" is an administrator. Within 15 minutes, open their browser at:\n\n  ${url}`,
      )
    })
}

function listCommand(user: Command, context: Context): void {
  const list = user.command('list').description('everybody who may sign in, by e-mail')
  addPageOptions(list, 'the user of this address').action(async (options: ListOptions) => {
    const client = await connectEngine(context)
    const found = await readList(
      context,
      options,
      async (limit, cursor) => {
        const { users } = await client.graphql<{ users: User[] }>(
          `query ($limit: Int, $cursor: ID) { users(limit: $limit, cursor: $cursor) { ${FIELDS} } }`,
          { limit, cursor },
        )
        return users
      },
      ({ id }) => id,
    )
    const rows = found.map((one) => [
      one.id,
      one.globalAccessLevel ?? '-',
      grantsText(one.grants),
      String(one.activeSessions),
      one.lastActivity ?? 'never',
    ])
    context.output.result(
      found,
      table(['USER', 'LEVEL', 'GRANTS', 'LOGINS', 'LAST SEEN'], rows, 'No users.'),
    )
  })
}

function createCommand(user: Command, context: Context): void {
  user
    .command('create <email>')
    .description('let somebody sign in')
    .option('--level <level>', 'VIEWER, MANAGER or ADMIN, on everything')
    .option('--grant <runtime=level...>', 'VIEWER or MANAGER on one runtime')
    .action(async (email: string, options: { level?: string; grant?: string[] }) => {
      if (options.level === undefined && options.grant === undefined)
        throw new UsageError('give a --level, or a --grant on a runtime')
      const input = {
        email,
        accessLevel: options.level === undefined ? null : parseLevel(options.level),
        grants: (options.grant ?? []).map(parseGrant),
      }
      const client = await connectEngine(context)
      const { createUser } = await client.graphql<{ createUser: User }>(
        `mutation ($input: CreateUserInput!) { createUser(input: $input) { ${FIELDS} } }`,
        { input },
      )
      context.output.result(createUser, `"${createUser.id}" may sign in.`)
    })
}

function changeCommands(user: Command, context: Context): void {
  const change = async (
    mutation: string,
    type: string,
    input: Record<string, unknown>,
    text: string,
  ): Promise<void> => {
    const client = await connectEngine(context)
    const answer = await client.graphql<Record<string, User[]>>(
      `mutation ($input: ${type}!) { ${mutation}(input: $input) { id accessLevel } }`,
      { input },
    )
    context.output.result(answer[mutation], text)
  }

  user
    .command('remove <emails...>')
    .description('remove users with their logins and API tokens')
    .option('--comment <text>', 'why', 'removed by krectl')
    .option('--yes', 'without being asked on a terminal')
    .action(async (userIds: string[], { comment, yes }: { comment: string; yes?: boolean }) => {
      const names = userIds.join(', ')
      await confirm(context, `${names} will be removed with logins and API tokens`, { yes })
      await change('removeUsers', 'UsersInput', { userIds, comment }, `Removed ${names}.`)
    })

  user
    .command('level <level> <emails...>')
    .description('give users a level on everything: VIEWER, MANAGER, ADMIN, or none')
    .option('--if-level <level>', 'refuse when one of them has another level by now, or none')
    .option('--comment <text>', 'why', 'changed by krectl')
    .action((level: string, userIds: string[], options: { comment: string; ifLevel?: string }) => {
      const { comment, ifLevel } = options
      const accessLevel = parseLevelOrNone(level)
      const condition = ifLevel === undefined ? {} : { ifAccessLevel: parseLevelOrNone(ifLevel) }
      const input = { userIds, accessLevel, comment, ...condition }
      const text = `The level of ${userIds.join(', ')} is ${accessLevel ?? 'none'}.`
      return change('updateAccessLevel', 'UpdateAccessLevelInput', input, text)
    })

  user
    .command('grant <email> [runtime=level...]')
    .description('the levels of a user on single runtimes: what is not named is taken away')
    .option(
      '--if-grants <pairs>',
      'refuse when the user has others by now than these, with commas between, or none',
    )
    .option('--comment <text>', 'why', 'changed by krectl')
    .action((email: string, pairs: string[], options: { comment: string; ifGrants?: string }) => {
      const { comment, ifGrants } = options
      const grants = pairs.map(parseGrant)
      const condition =
        ifGrants === undefined ? {} : { ifGrants: listOrNone(ifGrants).map(parseGrant) }
      const input = { userIds: [email], grants, comment, ...condition }
      const text = `Grants of ${email}: ${grantsText(grants)}.`
      return change('updateGrants', 'UpdateGrantsInput', input, text)
    })

  user
    .command('revoke <emails...>')
    .description('end all logins of users; API tokens stay')
    .option('--comment <text>', 'why', 'revoked by krectl')
    .action((userIds: string[], { comment }: { comment: string }) =>
      change(
        'revokeUserSessions',
        'UsersInput',
        { userIds, comment },
        `The logins of ${userIds.join(', ')} are over.`,
      ),
    )
}

function loginCommands(user: Command, context: Context): void {
  user
    .command('tokens <email>')
    .description('the API tokens of a user, without their secrets: "token delete" ends one')
    .action(async (email: string) => {
      const client = await connectEngine(context)
      const { users } = await client.graphql<{ users: { id: string; apiTokens: ApiToken[] }[] }>(
        `{ users { id apiTokens { ${API_TOKEN_FIELDS} } } }`,
      )
      const found = users.find(({ id }) => id === email.toLowerCase())
      if (found === undefined) throw noUser(email)
      context.output.result(found.apiTokens, apiTokensTable(found.apiTokens))
    })

  user
    .command('logins <email>')
    .description('the live logins of a user')
    .action(async (email: string) => {
      const client = await connectEngine(context)
      const { users } = await client.graphql<{ users: { id: string; logins: Login[] }[] }>(
        `{ users { id logins { ${LOGIN_FIELDS} } } }`,
      )
      const found = users.find(({ id }) => id === email.toLowerCase())
      if (found === undefined) throw noUser(email)
      const rows = found.logins.map((login) => [
        login.id,
        login.method,
        login.lastActivity,
        login.expirationDate,
        login.userAgent,
      ])
      context.output.result(
        found.logins,
        table(['ID', 'BY', 'LAST USED', 'ENDS', 'BROWSER'], rows, 'No logins.'),
      )
    })

  user
    .command('end-login <id>')
    .description('end one login')
    .action(async (id: string) => {
      const client = await connectEngine(context)
      await client.graphql(`mutation ($input: EndLoginInput!) { endLogin(input: $input) { id } }`, {
        input: { id },
      })
      context.output.result({ id, ended: true }, `Login ${id} is over.`)
    })
}

function noUser(email: string): KreError {
  return new KreError('not-found', `there is no user "${email}": see krectl user list`)
}

const LEVELS = ['VIEWER', 'MANAGER', 'ADMIN']

function parseLevel(text: string): string {
  const level = text.toUpperCase()
  if (LEVELS.includes(level)) return level
  throw new UsageError(`"${text}" is not a level: use ${LEVELS.join(', ')}`)
}

function parseLevelOrNone(text: string): string | null {
  return text.toLowerCase() === 'none' ? null : parseLevel(text)
}

function parseGrant(pair: string): Grant {
  const [runtimeId = '', level, ...rest] = pair.split('=')
  if (runtimeId === '' || level === undefined || rest.length > 0)
    throw new UsageError(`"${pair}" is not RUNTIME=LEVEL`)
  return { runtimeId, accessLevel: parseLevel(level) }
}

function grantsText(grants: readonly Grant[]): string {
  return grants.map((grant) => `${grant.runtimeId}=${grant.accessLevel}`).join(' ') || '-'
}
