import type { Store } from '@kre/store'
import {
  concealValues,
  vars,
  type AuditedOperation,
  type Input,
  type Performed,
  type Target,
} from './operations.ts'

/** Every mutation of the schema; a test compares. */
export const MUTATION_OPERATIONS: Readonly<Record<string, AuditedOperation>> = {
  createRuntime: {
    type: 'CREATE_RUNTIME',
    keep: ['id', 'name', 'description'],
    runtimeIdAt: 'id',
    rows: ({ target, input }) => [
      vars({ RUNTIME_ID: target.runtimeId, RUNTIME_NAME: input['name'] }),
    ],
  },
  deleteRuntime: {
    type: 'DELETE_RUNTIME',
    keep: ['id'],
    runtimeIdAt: 'id',
    state: readRuntime,
    rows: ({ target, before, input }) => [
      vars({
        RUNTIME_ID: target.runtimeId,
        RUNTIME_NAME: before?.['name'],
        COMMENT: input['comment'],
      }),
    ],
  },
  updateRuntime: {
    type: 'UPDATE_RUNTIME',
    keep: ['id', 'name', 'description'],
    runtimeIdAt: 'id',
    state: readRuntime,
    rows: ({ target, before, after }) => [
      vars({
        RUNTIME_ID: target.runtimeId,
        RUNTIME_NAME: after?.['name'] ?? before?.['name'],
      }),
    ],
  },
  createVersion: {
    type: 'CREATE_VERSION',
    keep: ['runtimeId'],
    rows: ({ target, after }) => [
      vars({
        RUNTIME_ID: target.runtimeId,
        VERSION_ID: after?.['versionId'],
        VERSION_NAME: after?.['versionName'],
      }),
    ],
  },
  startVersion: { ...onVersion('START_VERSION'), state: readWanted },
  restartVersion: { ...onVersion('START_VERSION'), state: readWanted },
  stopVersion: { ...onVersion('STOP_VERSION'), state: readWanted },
  publishVersion: {
    ...onVersion('PUBLISH_VERSION'),
    keep: ['runtimeId', 'versionName', 'ifPublished'],
    state: readPublished,
    rows: (performed) => [
      [
        ...versionVars(performed),
        ...vars({
          OLD_PUBLISHED_VERSION_ID: performed.before?.['publishedId'],
          OLD_PUBLISHED_VERSION_NAME: performed.before?.['published'],
          COMMENT: performed.input['comment'],
        }),
      ],
    ],
  },
  unpublishVersion: { ...onVersion('UNPUBLISH_VERSION'), state: readPublished },
  deleteVersion: onVersion('DELETE_VERSION'),
  updateVersionUserConfiguration: {
    ...onVersion('UPDATE_VERSION_CONFIGURATION'),
    keep: ['runtimeId', 'versionName', 'ifGeneration'],
    conceal: (input) => ({
      configurationVariables: concealValues(input['configurationVariables']),
    }),
    state: async ({ config }, { runtimeId, versionName }) => {
      if (runtimeId === null || versionName === null) return {}
      const entries = await config.get(runtimeId, versionName, { leaveOutDamaged: true })
      return {
        generation: await config.generation(runtimeId, versionName),
        keysSet: entries.filter(({ value }) => value !== '').map(({ key }) => key),
      }
    },
    rows: (performed) => [
      [
        ...versionVars(performed),
        ...vars({
          CONFIGURATION_KEYS: Object.keys(concealValues(performed.input['configurationVariables'])),
        }),
      ],
    ],
  },
  createUser: {
    type: 'CREATE_USER',
    keep: ['email', 'accessLevel', 'grants'],
    rows: ({ input }) => [
      vars({
        CREATED_USER_ID: lowerCase(input['email']),
        CREATED_USER_EMAIL: lowerCase(input['email']),
        CREATED_USER_ACCESS_LEVEL: input['accessLevel'],
      }),
    ],
  },
  removeUsers: onUsers('REMOVE_USERS'),
  revokeUserSessions: onUsers('REVOKE_SESSIONS'),
  updateAccessLevel: onUsers('UPDATE_ACCESS_LEVELS'),
  updateGrants: onUsers('UPDATE_GRANTS'),
  endLogin: {
    type: 'REVOKE_SESSIONS',
    keep: ['id'],
    rows: () => [[]],
  },
  updateSettings: {
    type: 'UPDATE_SETTING',
    keep: [
      'authAllowedDomains',
      'sessionLifetimeInDays',
      'ifAuthAllowedDomains',
      'ifSessionLifetimeInDays',
    ],
    state: async ({ identity }) => identity.settings.get(),
    rows: settingRows,
  },
  updateLogLimits: {
    type: 'UPDATE_SETTING',
    keep: ['runtimeId', 'days', 'bytesMax'],
    rows: ({ target, input }) => [
      vars({
        RUNTIME_ID: target.runtimeId,
        SETTING_NAME: 'logLimits',
        NEW_VALUE: { days: input['days'] ?? null, bytesMax: input['bytesMax'] ?? null },
      }),
    ],
  },
  sampleMessages: {
    type: 'UPDATE_SETTING',
    keep: ['runtimeId', 'versionName', 'minutes'],
    rows: ({ target, input }) => [
      vars({
        RUNTIME_ID: target.runtimeId,
        VERSION_ID: target.versionId,
        VERSION_NAME: target.versionName,
        SETTING_NAME: 'sampleMinutes',
        NEW_VALUE: input['minutes'],
      }),
    ],
  },
  generateApiToken: {
    type: 'GENERATE_API_TOKEN',
    keep: ['name', 'scope', 'runtimeIds', 'expiresInDays', 'expirationDate'],
    rows: ({ input }) => [vars({ API_TOKEN_NAME: input['name'] })],
  },
  deleteApiToken: {
    type: 'DELETE_API_TOKEN',
    keep: ['id'],
    state: async ({ identity }, _target, input) => {
      const token = await identity.apiTokens.find(textField(input, 'id'))
      return token === null ? {} : { name: token.name, user: token.user, scope: token.scope }
    },
    rows: ({ before }) => [vars({ API_TOKEN_NAME: before?.['name'] })],
  },
}

function onVersion(type: AuditedOperation['type']): AuditedOperation {
  return {
    type,
    keep: ['runtimeId', 'versionName'],
    rows: (performed) => [
      [...versionVars(performed), ...vars({ COMMENT: performed.input['comment'] })],
    ],
  }
}

function versionVars({ target }: Performed) {
  return vars({
    RUNTIME_ID: target.runtimeId,
    VERSION_ID: target.versionId,
    VERSION_NAME: target.versionName,
  })
}

function onUsers(type: AuditedOperation['type']): AuditedOperation {
  return {
    type,
    keep: ['userIds', 'userId', 'accessLevel', 'grants', 'ifAccessLevel', 'ifGrants'],
    state: async ({ identity }, _target, input) => {
      const users = await Promise.all(userIds(input).map((id) => identity.users.find(id)))
      return Object.fromEntries(
        users.flatMap((user) =>
          user === null || user.removedAt !== null
            ? []
            : [[user.email, { accessLevel: user.accessLevel, grants: user.grants }]],
        ),
      )
    },
    rows: ({ input }) => [
      vars({
        USER_IDS: userIds(input),
        USER_EMAILS: userIds(input),
        ACCESS_LEVEL: input['accessLevel'],
        COMMENT: input['comment'],
      }),
    ],
  }
}

/** A user's id is the address. */
function userIds(input: Input): string[] {
  const ids = input['userIds'] ?? input['userId'] ?? []
  return (Array.isArray(ids) ? (ids as unknown[]) : [ids]).map(lowerCase)
}

function lowerCase(text: unknown): string {
  return String(text).toLowerCase()
}

function textField(input: Input, name: string): string {
  const value = input[name]
  return typeof value === 'string' ? value : ''
}

/** One row per setting that changed; a refused change has one row for all it was about. */
function settingRows({ input, before, after }: Performed) {
  const wanted = Object.entries(input).filter(([name]) => !name.startsWith('if'))
  const names = wanted.map(([name]) => name)
  if (before === null || after === null)
    return [vars({ SETTING_NAME: names, NEW_VALUE: wanted.map(([, value]) => String(value)) })]
  const changed = Object.keys(after).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  if (changed.length === 0) return [vars({ SETTING_NAME: names })]
  return changed.map((name) =>
    vars({
      SETTING_NAME: name,
      OLD_VALUE: settingText(before[name]),
      NEW_VALUE: settingText(after[name]),
    }),
  )
}

/** An empty list is a value, too. */
function settingText(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(String).join(',')}]` : String(value)
}

async function readRuntime(
  { runtimes }: Pick<Store, 'runtimes'>,
  { runtimeId }: Target,
): Promise<Input> {
  const runtime = runtimeId === null ? null : await runtimes.find(runtimeId)
  return runtime === null ? {} : { name: runtime.name, description: runtime.description }
}

async function readPublished(
  { releases, versions }: Pick<Store, 'releases' | 'versions'>,
  { runtimeId }: Target,
): Promise<Input> {
  const release = runtimeId === null ? null : await releases.current(runtimeId)
  const published = release?.published ?? null
  if (runtimeId === null || published === null) return { published: null, publishedId: null }
  const version = await versions.find(runtimeId, published)
  return { published, publishedId: version?.id ?? null }
}

async function readWanted(
  { releases }: Pick<Store, 'releases'>,
  { runtimeId, versionName }: Target,
): Promise<Input> {
  const release = runtimeId === null ? null : await releases.current(runtimeId)
  return { isWanted: release?.running.some(({ version }) => version === versionName) ?? false }
}
