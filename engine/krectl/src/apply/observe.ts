import type { AdminClient } from '../api/admin-client.ts'
import { listVersions, type ConfigurationValue } from '../api/versions.ts'
import type {
  Desired,
  DesiredVersion,
  Grants,
  Level,
  LogLimits,
  Observed,
  ObservedRuntime,
  ObservedVersion,
  Prune,
  Settings,
} from './plan-apply.ts'

type RuntimeRow = {
  id: string
  name: string
  description: string
  publishedVersion: { name: string } | null
}
type UserRow = {
  id: string
  creationDate: string | null
  globalAccessLevel: Level | null
  grants: { runtimeId: string; accessLevel: string }[]
}

/** Reads what the engine has of what is wanted; only as much as the plan needs, so that less rights are enough. */
export async function observe(
  client: AdminClient,
  desired: Desired,
  values: ReadonlyMap<string, readonly ConfigurationValue[]>,
  prune: Prune,
): Promise<Observed> {
  const { me } = await client.graphql<{ me: { id: string } | null }>('{ me { id } }')
  const needsUsers = desired.users.length > 0 || prune.has('users')
  return {
    me: me?.id ?? '',
    settings: Object.keys(desired.settings).length === 0 ? null : await readSettings(client),
    runtimes: await readRuntimes(client, desired, values, prune),
    users: needsUsers ? await readUsers(client) : new Map(),
  }
}

/** Which of the keys have another value than these, or none. */
export async function differingKeys(
  client: AdminClient,
  runtimeId: string,
  versionName: string,
  values: readonly ConfigurationValue[],
): Promise<string[]> {
  if (values.length === 0) return []
  const { configurationDifferences } = await client.graphql<{ configurationDifferences: string[] }>(
    `query ($runtimeId: ID!, $versionName: String!, $values: [ConfigurationVariablesInput!]!) {
      configurationDifferences(runtimeId: $runtimeId, versionName: $versionName, configurationVariables: $values) }`,
    { runtimeId, versionName, values },
  )
  return configurationDifferences
}

async function readSettings(client: AdminClient): Promise<Settings> {
  const { settings } = await client.graphql<{ settings: Settings }>(
    '{ settings { authAllowedDomains sessionLifetimeInDays } }',
  )
  return settings
}

async function readRuntimes(
  client: AdminClient,
  { runtimes: wanted }: Desired,
  values: ReadonlyMap<string, readonly ConfigurationValue[]>,
  prune: Prune,
): Promise<Map<string, ObservedRuntime>> {
  if (wanted.length === 0 && !prune.has('runtimes')) return new Map()
  const { runtimes } = await client.graphql<{ runtimes: RuntimeRow[] }>(
    '{ runtimes { id name description publishedVersion { name } } }',
  )
  const versions = new Map(
    wanted.flatMap((runtime) =>
      (runtime.versions ?? []).map(
        (version) => [`${runtime.id}/${version.name}`, version] as const,
      ),
    ),
  )
  const found = new Map<string, ObservedRuntime>()
  for (const { id, name, description, publishedVersion } of runtimes) {
    const isWanted = wanted.some((runtime) => runtime.id === id)
    if (!isWanted && !prune.has('runtimes')) continue
    found.set(id, {
      name,
      description,
      log: await readLogLimits(client, id),
      versions: await readVersions(client, id, { values, versions }),
      published: publishedVersion?.name ?? null,
    })
  }
  return found
}

async function readLogLimits(client: AdminClient, runtimeId: string): Promise<LogLimits> {
  const { logLimits } = await client.graphql<{ logLimits: LogLimits }>(
    'query ($runtimeId: ID!) { logLimits(runtimeId: $runtimeId) { days bytesMax } }',
    { runtimeId },
  )
  return logLimits
}

async function readVersions(
  client: AdminClient,
  runtime: string,
  /** By `runtime/version`. */
  wanted: {
    values: ReadonlyMap<string, readonly ConfigurationValue[]>
    versions: ReadonlyMap<string, DesiredVersion>
  },
): Promise<Map<string, ObservedVersion>> {
  const versions = new Map<string, ObservedVersion>()
  for (const { name, digest, status } of await listVersions(client, runtime)) {
    const key = `${runtime}/${name}`
    const digestWanted = wanted.versions.get(key)?.digest ?? digest
    // One with other contents is refused for that, whatever its keys are.
    const values = digestWanted === digest ? (wanted.values.get(key) ?? []) : []
    const differing = await differingKeys(client, runtime, name, values)
    versions.set(name, { digest, status, differing })
  }
  return versions
}

async function readUsers(
  client: AdminClient,
): Promise<Map<string, { level: Level | null; grants: Grants }>> {
  const { users } = await client.graphql<{ users: UserRow[] }>(
    '{ users { id creationDate globalAccessLevel grants { runtimeId accessLevel } } }',
  )
  return new Map(
    users
      // Nobody made the owner of the development token, and nobody can change it.
      .filter(({ creationDate }) => creationDate !== null)
      .map(({ id, globalAccessLevel, grants }) => [
        id,
        {
          level: globalAccessLevel,
          grants: Object.fromEntries(
            grants.map(({ runtimeId, accessLevel }) => [runtimeId, accessLevel]),
          ),
        },
      ]),
  )
}
