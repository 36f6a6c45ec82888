import { resolve } from 'node:path'
import { stat } from 'node:fs/promises'
import { ingestBundle } from '@kre/bundle'
import { formatIssue, toKreError } from '@kre/contracts'
import type { ConfigurationValue } from '../api/versions.ts'
import { fetchModels } from '../bundle/fetch-models.ts'
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
    name,
    description,
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
      ? { name: entry.name ?? '', digest: null, file: null }
      : await pack(resolve(place.folder, entry.bundle), place.at('bundle'), context, problems)
  if (packed === null) return null
  const { name, digest, file } = packed
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
  values.set(key, found)
  return { name, digest, state: entry.state, keys: found.map((value) => value.key), at }
}

async function pack(
  path: string,
  at: string,
  context: ResolveContext,
  problems: string[],
): Promise<{ name: string; digest: string; file: string } | null> {
  try {
    const kind = await stat(path).catch(unlessMissing)
    if (kind === null) {
      problems.push(`${at}: there is no file or folder ${path}`)
      return null
    }
    if (kind.isDirectory()) await fetchModels(path, context)
    const { scratchDir, signal } = context
    const source = kind.isDirectory() ? { directory: path } : { file: path }
    const result = await ingestBundle(source, { scratchDir, signal })
    if (result.ok) {
      const { facts, digest, file } = result
      return { name: facts.manifest.version, digest, file }
    }
    problems.push(
      `${at}: ${path} is not a valid bundle`,
      ...result.issues.map((issue) => `  ${formatIssue(issue)}`),
    )
  } catch (error) {
    if (context.signal.aborted) throw error
    problems.push(`${at}: ${toKreError(error).message}`)
  }
  return null
}

function unlessMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}
