import type { VersionStatus } from '@kre/contracts'

export type Level = 'VIEWER' | 'MANAGER' | 'ADMIN'
export type Grants = Readonly<Record<string, string>>
export type LogLimits = { readonly days: number | null; readonly bytesMax: number | null }
export type Settings = {
  readonly authAllowedDomains: readonly string[]
  readonly sessionLifetimeInDays: number
}

/** What documents want. Fields that are `undefined` are left as they are. */
export type Desired = {
  readonly settings: Partial<Settings>
  readonly runtimes: readonly DesiredRuntime[]
  readonly users: readonly DesiredUser[]
}
export type DesiredRuntime = {
  readonly id: string
  readonly name: string | undefined
  readonly description: string | undefined
  readonly log: LogLimits | undefined
  readonly versions: readonly DesiredVersion[] | undefined
  /** Null = nothing is published. */
  readonly published: string | null | undefined
  /** Where it is written, for problems. */
  readonly at: string
}
export type DesiredVersion = {
  readonly name: string
  /** sha256 of the bundle; null = the version is there already. */
  readonly digest: string | null
  readonly state: 'started' | 'stopped' | undefined
  /** Keys of the configuration that have a value. */
  readonly keys: readonly string[]
  readonly at: string
}
export type DesiredUser = {
  readonly email: string
  /** Null = none. */
  readonly level: Level | null | undefined
  readonly grants: Grants | undefined
  readonly at: string
}

/** What the engine has of what documents name; all of it where something is to be pruned. */
export type Observed = {
  /** Who is asking. */
  readonly me: string
  readonly settings: Settings | null
  readonly runtimes: ReadonlyMap<string, ObservedRuntime>
  readonly users: ReadonlyMap<string, { readonly level: Level | null; readonly grants: Grants }>
}
export type ObservedRuntime = {
  readonly name: string
  readonly description: string
  readonly log: LogLimits
  readonly versions: ReadonlyMap<string, ObservedVersion>
  readonly published: string | null
}
export type ObservedVersion = {
  readonly digest: string
  readonly status: VersionStatus
  /** Keys whose value is not the wanted one. */
  readonly differing: readonly string[]
}

/** What is removed because no document names it. `versions`: of runtimes whose document lists versions. */
export const PRUNABLE = ['versions', 'runtimes', 'users'] as const
export type Prune = ReadonlySet<(typeof PRUNABLE)[number]>

/** `was`: what the plan was made for. Who has changed it since then is not overruled. */
export type Step =
  | { kind: 'update-settings'; change: Partial<Settings>; was: Settings | null }
  | { kind: 'create-runtime'; runtime: string; name: string; description: string }
  | { kind: 'update-runtime'; runtime: string; name?: string; description?: string }
  | { kind: 'set-log-limits'; runtime: string; log: LogLimits }
  | { kind: 'create-version'; runtime: string; version: string }
  | { kind: 'configure'; runtime: string; version: string; keys: readonly string[] }
  | { kind: VersionAct; runtime: string; version: string }
  | { kind: 'publish'; runtime: string; version: string; was: string | null }
  | { kind: 'create-user'; email: string; level: Level | null; grants: Grants }
  | { kind: 'set-level'; email: string; level: Level | null; was: Level | null }
  | { kind: 'set-grants'; email: string; grants: Grants; was: Grants }
  | { kind: 'remove-user'; email: string }
  | { kind: 'delete-runtime'; runtime: string }
type VersionAct = 'start' | 'restart' | 'unpublish' | 'stop' | 'delete-version'

export type Plan = {
  /** In the order in which they can be done. */
  readonly steps: readonly Step[]
  /** Names of what is as it should be. */
  readonly left: readonly string[]
  /** Why it can't be done; with one of them nothing is. */
  readonly problems: readonly string[]
}
type Draft = { steps: Step[]; left: string[]; problems: string[] }

/** Makes the steps from what there is to what is wanted: none when that is the same. */
export function planApply(desired: Desired, observed: Observed, prune: Prune): Plan {
  const draft: Draft = { steps: [], left: [], problems: [] }
  const removals: Step[] = []
  planSettings(desired.settings, observed.settings, draft)
  for (const runtime of desired.runtimes) planRuntime(runtime, observed, prune, draft)
  for (const user of desired.users) planUser(user, observed, draft)
  if (prune.has('users')) {
    const wanted = new Set(desired.users.map(({ email }) => email))
    for (const email of observed.users.keys())
      if (!wanted.has(email) && email !== observed.me) removals.push({ kind: 'remove-user', email })
  }
  if (prune.has('runtimes')) {
    const wanted = new Set(desired.runtimes.map(({ id }) => id))
    for (const [id, runtime] of observed.runtimes)
      if (!wanted.has(id)) removals.push(...planRemoval(id, runtime))
  }
  return { ...draft, steps: [...draft.steps, ...removals] }
}

function planSettings(wanted: Partial<Settings>, now: Settings | null, draft: Draft): void {
  if (Object.keys(wanted).length === 0) return
  const { authAllowedDomains: domains, sessionLifetimeInDays: days } = wanted
  const change: Partial<Settings> = {
    ...(domains === undefined || (now !== null && sameSet(domains, now.authAllowedDomains))
      ? {}
      : { authAllowedDomains: domains }),
    ...(days === undefined || days === now?.sessionLifetimeInDays
      ? {}
      : { sessionLifetimeInDays: days }),
  }
  if (Object.keys(change).length > 0)
    draft.steps.push({ kind: 'update-settings', change, was: now })
  else draft.left.push('settings')
}

function planRuntime(wanted: DesiredRuntime, observed: Observed, prune: Prune, draft: Draft): void {
  const { id, log } = wanted
  const now = observed.runtimes.get(id)
  const stepsBefore = draft.steps.length
  if (now === undefined) {
    const name = wanted.name ?? id
    const description = wanted.description ?? `Runtime ${name}`
    draft.steps.push({ kind: 'create-runtime', runtime: id, name, description })
  } else {
    const name = wanted.name === now.name ? undefined : wanted.name
    const description = wanted.description === now.description ? undefined : wanted.description
    if (name !== undefined || description !== undefined)
      draft.steps.push({
        kind: 'update-runtime',
        runtime: id,
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
      })
  }
  const limits = now?.log ?? { days: null, bytesMax: null }
  if (log !== undefined && (log.days !== limits.days || log.bytesMax !== limits.bytesMax))
    draft.steps.push({ kind: 'set-log-limits', runtime: id, log })
  if (draft.steps.length === stepsBefore) draft.left.push(`runtime ${id}`)
  planVersions(wanted, now, prune, draft)
}

/**
 * Uploads and values first, then what starts, then the one switch of traffic, and only then what stops: callers are
 * answered all the time.
 */
function planVersions(
  runtime: DesiredRuntime,
  now: ObservedRuntime | undefined,
  prune: Prune,
  draft: Draft,
): void {
  const { id, published } = runtime
  const listed = runtime.versions ?? []
  const there = now?.versions ?? new Map<string, ObservedVersion>()
  const publishedNow = now?.published ?? null
  const act = (kind: VersionAct, version: string): void => {
    draft.steps.push({ kind, runtime: id, version })
  }
  const touched = new Set<string>()
  for (const version of listed) {
    const before = draft.steps.length
    planContent(id, version, there.get(version.name), draft)
    if (draft.steps.length > before) touched.add(version.name)
  }
  if (typeof published === 'string' && !isKnown(published, listed, there))
    draft.problems.push(
      `${runtime.at}: "${published}" can't be published: runtime "${id}" has no such version, and none is listed`,
    )
  const started = new Set([
    ...listed.filter(({ state }) => state === 'started').map(({ name }) => name),
    ...(typeof published === 'string' ? [published] : []),
  ])
  for (const name of started) {
    const kind = wayUp(there.get(name)?.status)
    if (kind === null) continue
    act(kind, name)
    touched.add(name)
  }
  if (typeof published === 'string' && published !== publishedNow) {
    draft.steps.push({ kind: 'publish', runtime: id, version: published, was: publishedNow })
    touched.add(published)
  }
  const kept = new Set([...listed.map(({ name }) => name), published])
  const isPruned = prune.has('versions') && runtime.versions !== undefined
  const gone = isPruned ? [...there.keys()].filter((name) => !kept.has(name)) : []
  const stopped = listed.filter(({ state }) => state === 'stopped').map(({ name }) => name)
  for (const name of stopped.filter((one) => started.has(one)))
    draft.problems.push(`${runtime.at}: version "${name}" can't be stopped and published at once`)
  const down = [...stopped, ...gone]
  if (publishedNow !== null && losesAddress(publishedNow, published, down))
    act('unpublish', publishedNow)
  for (const name of down.filter((one) => isRunning(there.get(one)?.status))) {
    act('stop', name)
    touched.add(name)
  }
  for (const name of gone) act('delete-version', name)
  for (const { name } of listed) if (!touched.has(name)) draft.left.push(`version ${id}/${name}`)
}

/** Whether the published version is to be none any more, and no other takes its place. */
function losesAddress(
  publishedNow: string,
  published: string | null | undefined,
  down: readonly string[],
): boolean {
  return published === null || (published === undefined && down.includes(publishedNow))
}

function isKnown(
  name: string,
  listed: readonly DesiredVersion[],
  there: ReadonlyMap<string, ObservedVersion>,
): boolean {
  return there.has(name) || listed.some((version) => version.name === name)
}

/** The bundle and the configuration of a version. */
function planContent(
  runtime: string,
  { name: version, digest, keys, at }: DesiredVersion,
  now: ObservedVersion | undefined,
  { steps, problems }: Draft,
): void {
  if (now === undefined) {
    if (digest === null) {
      problems.push(`${at}: runtime "${runtime}" has no version "${version}": name its bundle`)
      return
    }
    steps.push({ kind: 'create-version', runtime, version })
    if (keys.length > 0) steps.push({ kind: 'configure', runtime, version, keys })
    return
  }
  if (digest !== null && digest !== now.digest)
    problems.push(
      `${at}: runtime "${runtime}" has a version "${version}" with other contents (sha256 ${now.digest.slice(0, 12)}…): versions never change, so give this one another name in its manifest`,
    )
  else if (now.differing.length > 0)
    steps.push({ kind: 'configure', runtime, version, keys: now.differing })
}

/** How a version gets up; null when it is up or on its way. */
function wayUp(status: VersionStatus | undefined): 'start' | 'restart' | null {
  switch (status) {
    case undefined:
    case 'CREATED':
    case 'STOPPING':
    case 'STOPPED':
      return 'start'
    case 'ERROR':
      return 'restart'
    case 'CREATING':
    case 'STARTING':
    case 'STARTED':
    case 'PUBLISHED':
      return null
  }
}

function isRunning(status: VersionStatus | undefined): boolean {
  return (
    status === 'STARTING' || status === 'STARTED' || status === 'PUBLISHED' || status === 'ERROR'
  )
}

/** A runtime can be deleted when nothing of it runs; its versions go with it. */
function planRemoval(runtime: string, { versions, published }: ObservedRuntime): Step[] {
  const running = [...versions].filter(([, { status }]) => isRunning(status))
  return [
    ...(published === null ? [] : [{ kind: 'unpublish' as const, runtime, version: published }]),
    ...running.map(([version]) => ({ kind: 'stop' as const, runtime, version })),
    { kind: 'delete-runtime', runtime },
  ]
}

function planUser(wanted: DesiredUser, { users, me }: Observed, draft: Draft): void {
  const { email, level, grants, at } = wanted
  const now = users.get(email)
  if (now === undefined) {
    if ((level ?? null) === null && Object.keys(grants ?? {}).length === 0)
      draft.problems.push(`${at}: user "${email}" is new: give a level, or grants`)
    else
      draft.steps.push({ kind: 'create-user', email, level: level ?? null, grants: grants ?? {} })
    return
  }
  const changes: Step[] = []
  if (level !== undefined && level !== now.level)
    changes.push({ kind: 'set-level', email, level, was: now.level })
  if (grants !== undefined && !sameGrants(grants, now.grants))
    changes.push({ kind: 'set-grants', email, grants, was: now.grants })
  if (changes.length === 0) draft.left.push(`user ${email}`)
  else if (email === me)
    draft.problems.push(`${at}: "${email}" is you, and nobody changes his own rights`)
  draft.steps.push(...changes)
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  const left = new Set(one)
  const right = new Set(other)
  return left.size === right.size && [...left].every((item) => right.has(item))
}

function sameGrants(one: Grants, other: Grants): boolean {
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
  )
}
