import { resolve } from 'node:path'
import { toKreError } from '@kre/contracts'
import type { ConfigurationValue } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { parseBytes } from '../output/parse-bytes.ts'
import type { RuntimeDocument, UserDocument, VersionEntry } from './apply-document.ts'
import type {
  Desired,
  DesiredRuntime,
  DesiredUser,
  DesiredVersion,
  Settings,
} from './plan-apply.ts'
import { packBundle } from './pack-bundle.ts'
import { BadDocuments, type Placed } from './read-documents.ts'
import { readValues } from './read-values.ts'

/** What the wanted state is made of beside the names in it; keys are `runtime/version`. */
export type Resolved = {
  readonly desired: Desired
  /** Canonical archives, in the scratch folder. */
  readonly archives: ReadonlyMap<string, string>
  readonly values: ReadonlyMap<string, readonly ConfigurationValue[]>
}
type ResolveContext = Pick<Context, 'root' | 'environment' | 'output' | 'signal'> & {
  scratchDir: string
}
type Collected = {
  archives: Map<string, string>
  values: Map<string, readonly ConfigurationValue[]>
  problems: string[]
}

/** The owner of the development token, whom nobody can change. */
const LOCAL_OWNER = 'dev@local.local'

/**
 * Checks and packs the bundles that documents name, and reads the values of their configuration.
 *
 * @throws BadDocuments with everything that is wrong and where.
 */
export async function resolveDesired(
  documents: readonly Placed[],
  context: ResolveContext,
): Promise<Resolved> {
  const collected: Collected = { archives: new Map(), values: new Map(), problems: [] }
  const { archives, values, problems } = collected
  const settings: Partial<Settings>[] = []
  const runtimes: DesiredRuntime[] = []
  const users: DesiredUser[] = []
  for (const placed of documents) {
    const { document, at } = placed
    if (document.kind === 'Settings') {
      if (settings.length > 0) problems.push(`${at(['kind'])}: settings are there already`)
      settings.push(toSettings(document))
    } else if (document.kind === 'User') {
      const user = toUser(document, at(['email']), problems)
      if (users.some(({ email }) => email === user.email))
        problems.push(`${user.at}: user "${user.email}" is there already`)
      users.push(user)
    } else {
      if (runtimes.some(({ id }) => id === document.id))
        problems.push(`${at(['id'])}: runtime "${document.id}" is there already`)
      runtimes.push(await toRuntime(document, placed, context, collected))
    }
  }
  if (problems.length > 0) throw new BadDocuments(problems)
  return { desired: { settings: settings[0] ?? {}, runtimes, users }, archives, values }
}

function toSettings(document: {
  allowedDomains?: string[] | undefined
  sessionLifetimeInDays?: number | undefined
}): Partial<Settings> {
  const { allowedDomains, sessionLifetimeInDays } = document
  return {
    ...(allowedDomains === undefined
      ? {}
      : { authAllowedDomains: allowedDomains.map((domain) => domain.trim().toLowerCase()) }),
    ...(sessionLifetimeInDays === undefined ? {} : { sessionLifetimeInDays }),
  }
}

function toUser(document: UserDocument, at: string, problems: string[]): DesiredUser {
  const email = document.email.trim().toLowerCase()
  if (email === LOCAL_OWNER)
    problems.push(`${at}: "${email}" is whoever holds the development token: nobody can change it`)
  const level = document.level === 'NONE' ? null : document.level
  return { email, level, grants: document.grants, at }
}

async function toRuntime(
  document: RuntimeDocument,
  placed: Placed,
  context: ResolveContext,
  collected: Collected,
): Promise<DesiredRuntime> {
  const { id, name, description, log, published } = document
  const versions: DesiredVersion[] = []
  for (const [index, entry] of (document.versions ?? []).entries()) {
    const at = (...path: string[]) => placed.at(['versions', index, ...path])
    const version = await toVersion(id, entry, { folder: placed.folder, at }, context, collected)
    if (version === null) continue
    if (versions.some((other) => other.name === version.name))
      collected.problems.push(`${at()}: version "${version.name}" is listed already`)
    versions.push(version)
  }
  return {
    id,
    // As the engine keeps them.
    name: name?.trim(),
    description: description?.trim(),
    log: log === undefined ? undefined : toLogLimits(log, placed, collected.problems),
    versions: document.versions === undefined ? undefined : versions,
    published,
    at: placed.at(['id']),
  }
}

function toLogLimits(
  { days, bytesMax }: NonNullable<RuntimeDocument['log']>,
  { at }: Placed,
  problems: string[],
): NonNullable<DesiredRuntime['log']> {
  if (typeof bytesMax !== 'string') return { days, bytesMax }
  try {
    return { days, bytesMax: parseBytes('bytesMax', bytesMax) }
  } catch (error) {
    problems.push(`${at(['log', 'bytesMax'])}: ${toKreError(error).message}`)
    return { days, bytesMax: null }
  }
}

/** Null when the bundle is not valid, which becomes a problem. */
async function toVersion(
  runtime: string,
  entry: VersionEntry,
  place: { folder: string; at: (...path: string[]) => string },
  context: ResolveContext,
  { archives, values, problems }: Collected,
): Promise<DesiredVersion | null> {
  const at = place.at()
  const packed =
    entry.bundle === undefined
      ? { name: entry.name ?? '', digest: null, file: null, declared: null }
      : await packBundle(resolve(place.folder, entry.bundle), place.at('bundle'), context, problems)
  if (packed === null) return null
  const { name, digest, file, declared } = packed
  if (entry.name !== undefined && entry.name !== name)
    problems.push(
      `${place.at('name')}: the bundle is version "${name}", not "${entry.name}": see its manifest`,
    )
  const key = `${runtime}/${name}`
  if (file !== null) archives.set(key, file)
  const found = await readValues(
    entry,
    { folder: place.folder, environment: context.environment, at: place.at },
    problems,
  )
  for (const { key: wanted } of found)
    if (declared?.has(wanted) === false)
      problems.push(
        `${place.at('config', wanted)}: version "${name}" declares no configuration "${wanted}"; there is: ${[...declared].join(', ') || 'none'}`,
      )
  values.set(key, found)
  return { name, digest, state: entry.state, keys: found.map((value) => value.key), at }
}
