import { KreError } from '@kre/contracts'
import type { AccessLevel, User } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, LOCAL_OWNER, type Principal } from '../principal.ts'
import { readSettings, updateSettings, type UpdateSettings } from '../settings/settings.ts'
import { OWNER_ACCOUNT } from '../sign-in/accounts.ts'
import { deleteApiToken, generateApiToken, listApiTokens } from '../tokens/api-tokens.ts'
import {
  removeUsers,
  revokeLogins,
  updateAccessLevel,
  updateGrants,
  type UsersCommand,
} from '../users/change-users.ts'
import { createUser } from '../users/create-user.ts'
import { listUsers } from '../users/find-users.ts'
import { endLogin, listLogins } from '../users/user-logins.ts'
import type { GraphqlContext } from './context.ts'
import { pageOf, type PageArgs } from './page-of.ts'
import {
  highestLevel,
  toGraphqlAccount,
  toGraphqlApiToken,
  toGraphqlLogin,
  toGraphqlUser,
  type GraphqlUser,
} from './to-graphql-user.ts'

type Input<T> = { input: Omit<T, 'principal'> }
type GrantInput = { runtimeId: string; accessLevel: string }

export function createAccountQueries(deps: FeatureDeps) {
  return {
    me: (_: unknown, _args: unknown, { principal }: GraphqlContext) =>
      toGraphqlUser(principal.email),

    users: async (_: unknown, args: PageArgs, { principal }: GraphqlContext) =>
      pageOf(await listUsers(deps, { principal }), args, ({ email }) => [email]).map(
        toGraphqlAccount,
      ),

    settings: (_: unknown, _args: unknown, { principal }: GraphqlContext) =>
      readSettings(deps, { principal }),
  }
}

export function createAccountMutations(deps: FeatureDeps) {
  const onUsers =
    (run: (deps: FeatureDeps, command: UsersCommand) => Promise<User[]>) =>
    async (_: unknown, { input }: Input<UsersCommand>, { principal }: GraphqlContext) =>
      (await run(deps, { ...input, principal })).map(toGraphqlAccount)

  return {
    createUser: async (
      _: unknown,
      args: {
        input: { email: string; accessLevel?: AccessLevel | null; grants?: GrantInput[] | null }
      },
      { principal }: GraphqlContext,
    ) => {
      const { email, accessLevel = null, grants } = args.input
      const command = { principal, email, accessLevel, grants: grants ?? [] }
      return toGraphqlAccount(await createUser(deps, command))
    },

    removeUsers: onUsers(removeUsers),
    revokeUserSessions: onUsers(revokeLogins),

    updateAccessLevel: async (
      _: unknown,
      {
        input,
      }: Input<
        UsersCommand & { accessLevel?: AccessLevel | null; ifAccessLevel?: AccessLevel | null }
      >,
      { principal }: GraphqlContext,
    ) => {
      const { accessLevel } = input
      // Left out by mistake it must not take a level away.
      if (accessLevel === undefined)
        throw new KreError('invalid-argument', 'accessLevel is missing: give a level, or null', {
          field: 'accessLevel',
        })
      const users = await updateAccessLevel(deps, { ...input, accessLevel, principal })
      return users.map(toGraphqlAccount)
    },

    updateGrants: async (
      _: unknown,
      { input }: Input<UsersCommand & { grants: GrantInput[]; ifGrants?: GrantInput[] | null }>,
      { principal }: GraphqlContext,
    ) => (await updateGrants(deps, { ...input, principal })).map(toGraphqlAccount),

    endLogin: async (_: unknown, args: { input: { id: string } }, { principal }: GraphqlContext) =>
      toGraphqlLogin(await endLogin(deps, { ...args.input, principal }), currentLogin(principal)),

    updateSettings: (
      _: unknown,
      { input }: Input<Partial<UpdateSettings>>,
      { principal }: GraphqlContext,
    ) => {
      const { authAllowedDomains = null, sessionLifetimeInDays = null, ...conditions } = input
      const settings = { authAllowedDomains, sessionLifetimeInDays }
      return updateSettings(deps, { ...conditions, ...settings, principal })
    },

    generateApiToken: (
      _: unknown,
      args: {
        input: {
          name: string
          scope: 'READ' | 'FULL'
          runtimeIds?: string[] | null
          expiresInDays: number
        }
      },
      { principal }: GraphqlContext,
    ) => {
      const { scope, runtimeIds = null, ...input } = args.input
      const command = { ...input, principal, runtimeIds }
      return generateApiToken(deps, { ...command, scope: scope === 'READ' ? 'read' : 'full' })
    },

    deleteApiToken: async (
      _: unknown,
      args: { input: { id: string } },
      { principal }: GraphqlContext,
    ) => toGraphqlApiToken(await deleteApiToken(deps, { ...args.input, principal })),
  }
}

/** Fields of `User`: who and of what level is told to everybody; the rest to administrators and to the user itself. */
export function createUserFields(deps: FeatureDeps) {
  const rowOf = async ({ email, row }: GraphqlUser): Promise<User | null> =>
    row ?? (email === LOCAL_OWNER ? OWNER_ACCOUNT : deps.identity.users.find(email))
  const inner =
    <T>(read: (user: User | null) => T) =>
    async (user: GraphqlUser, _args: unknown, { principal }: GraphqlContext) => {
      authorize(principal, user.email === principal.email ? 'view account' : 'view users')
      return read(await rowOf(user))
    }

  return {
    accessLevel: async (user: GraphqlUser) =>
      highestLevel((await rowOf(user)) ?? { accessLevel: null, grants: [] }),
    globalAccessLevel: inner((user) => user?.accessLevel ?? null),
    grants: inner((user) => user?.grants ?? []),
    creationDate: inner((user) =>
      user === null || user === OWNER_ACCOUNT ? null : user.createdAt.toISOString(),
    ),
    lastActivity: inner((user) => user?.lastActivityAt?.toISOString() ?? null),
    activeSessions: async ({ email }: GraphqlUser, _args: unknown, { principal }: GraphqlContext) =>
      (await listLogins(deps, { principal, email })).length,
    logins: async ({ email }: GraphqlUser, _args: unknown, { principal }: GraphqlContext) =>
      (await listLogins(deps, { principal, email })).map((login) =>
        toGraphqlLogin(login, currentLogin(principal)),
      ),
    apiTokens: async ({ email }: GraphqlUser, _args: unknown, { principal }: GraphqlContext) =>
      (await listApiTokens(deps, { principal, email })).map(toGraphqlApiToken),
  }
}

function currentLogin({ credential }: Principal): string | null {
  return credential.kind === 'login' ? credential.loginHash : null
}
