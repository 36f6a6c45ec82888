import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, toKreError, type VersionStatus } from '@kre/contracts'
import type { AdminClient } from '../api/admin-client.ts'
import { uploadBundle } from '../api/upload-bundle.ts'
import {
  findVersion,
  listVersions,
  operate,
  setConfiguration,
  waitForStatus,
  type Operation,
} from '../api/versions.ts'
import type { Output } from '../output/output.ts'
import { describeStep } from './describe-plan.ts'
import { differingKeys } from './observe.ts'
import type { Step } from './plan-apply.ts'
import type { Resolved } from './resolve-desired.ts'

/** How often versions that end are looked at. */
const POLL_MS = 200

export type RunDeps = {
  client: AdminClient
  output: Output
  signal: AbortSignal
  /** Finds the engine again after a cut. */
  reconnect: () => Promise<AdminClient>
  archives: Resolved['archives']
  values: Resolved['values']
  /** Why, for the history. */
  comment: string
  /** Longest wait for one version to start or stop. */
  timeoutMs: number
}
/** What came of the steps, in their order. */
export type StepOutcome = {
  step: string
  outcome: 'done' | 'failed' | 'not done'
  error?: string
}

/** Does the steps until one fails; those behind it are not begun. @returns the failure; null = all is done. */
export async function runPlan(
  steps: readonly Step[],
  deps: RunDeps,
): Promise<{ outcomes: StepOutcome[]; failure: KreError | null }> {
  const outcomes: StepOutcome[] = []
  for (const [index, step] of steps.entries()) {
    const text = describeStep(step)
    deps.output.step(text)
    try {
      await runStep(step, deps)
      outcomes.push({ step: text, outcome: 'done' })
    } catch (error) {
      const failure = toKreError(error)
      const rest = steps.slice(index + 1)
      outcomes.push(
        { step: text, outcome: 'failed', error: failure.message },
        ...rest.map((other) => ({ step: describeStep(other), outcome: 'not done' as const })),
      )
      return { outcomes, failure }
    }
  }
  return { outcomes, failure: null }
}

async function runStep(step: Step, deps: RunDeps): Promise<void> {
  const { comment } = deps
  switch (step.kind) {
    case 'update-settings':
      return mutate(
        deps,
        'updateSettings',
        'SettingsInput',
        settingsInput(step),
        'authAllowedDomains',
      )
    case 'create-runtime': {
      const { runtime: id, name, description } = step
      return mutate(deps, 'createRuntime', 'CreateRuntimeInput', { id, name, description })
    }
    case 'update-runtime': {
      const { runtime: id, name = null, description = null } = step
      return mutate(deps, 'updateRuntime', 'UpdateRuntimeInput', { id, name, description })
    }
    case 'set-log-limits': {
      const input = { runtimeId: step.runtime, ...step.log }
      return mutate(deps, 'updateLogLimits', 'UpdateLogLimitsInput', input, 'days')
    }
    case 'create-version':
      return createVersion(step, deps)
    case 'configure':
      return configure(step, deps)
    case 'start':
    case 'restart':
    case 'unpublish':
    case 'stop':
      return changeVersion(step.kind, step, deps)
    case 'publish':
      return changeVersion(step.kind, step, deps, { ifPublished: step.was ?? '' })
    case 'delete-version':
      await untilEnded(deps, step.runtime, step.version)
      return operate(deps.client, 'delete', step.runtime, step.version, comment)
    case 'delete-runtime':
      await untilEnded(deps, step.runtime, null)
      return mutate(deps, 'deleteRuntime', 'DeleteRuntimeInput', { id: step.runtime, comment })
    case 'create-user': {
      const { email, level: accessLevel } = step
      const input = { email, accessLevel, grants: grantList(step.grants) }
      return mutate(deps, 'createUser', 'CreateUserInput', input)
    }
    case 'set-level': {
      const { level: accessLevel, was: ifAccessLevel } = step
      const input = { userIds: [step.email], accessLevel, ifAccessLevel, comment }
      return mutate(deps, 'updateAccessLevel', 'UpdateAccessLevelInput', input)
    }
    case 'set-grants': {
      const [grants, ifGrants] = [grantList(step.grants), grantList(step.was)]
      const input = { userIds: [step.email], grants, ifGrants, comment }
      return mutate(deps, 'updateGrants', 'UpdateGrantsInput', input)
    }
    case 'remove-user':
      return mutate(deps, 'removeUsers', 'UsersInput', { userIds: [step.email], comment })
  }
}

async function mutate(
  { client }: RunDeps,
  mutation: string,
  type: string,
  input: Record<string, unknown>,
  field = 'id',
): Promise<void> {
  await client.graphql(`mutation ($input: ${type}!) { ${mutation}(input: $input) { ${field} } }`, {
    input,
  })
}

/** What changes, on the condition that it is what it was. */
function settingsInput({ change, was }: Step & { kind: 'update-settings' }) {
  return {
    ...change,
    ...(was === null || change.authAllowedDomains === undefined
      ? {}
      : { ifAuthAllowedDomains: was.authAllowedDomains }),
    ...(was === null || change.sessionLifetimeInDays === undefined
      ? {}
      : { ifSessionLifetimeInDays: was.sessionLifetimeInDays }),
  }
}

function grantList(
  grants: Readonly<Record<string, string>>,
): { runtimeId: string; accessLevel: string }[] {
  return Object.entries(grants).map(([runtimeId, accessLevel]) => ({ runtimeId, accessLevel }))
}

type OfVersion = { runtime: string; version: string }

async function createVersion({ runtime, version }: OfVersion, deps: RunDeps): Promise<void> {
  const archive = deps.archives.get(`${runtime}/${version}`)
  if (archive === undefined)
    throw new KreError('internal', `there is no archive of version "${runtime}/${version}"`)
  const uploaded = await uploadBundle(deps.client, runtime, archive, deps)
  if (uploaded.name !== version)
    throw new KreError('internal', `version "${version}" was taken in as "${uploaded.name}"`)
}

/** Sets only what differs: a new version has taken over values of the one before it. */
async function configure(
  { runtime, version, keys }: OfVersion & { keys: readonly string[] },
  { client, values }: RunDeps,
): Promise<void> {
  const wanted = (values.get(`${runtime}/${version}`) ?? []).filter(({ key }) => keys.includes(key))
  const differing = new Set(await differingKeys(client, runtime, version, wanted))
  const changes = wanted.filter(({ key }) => differing.has(key))
  if (changes.length === 0) return
  await setConfiguration(client, {
    runtime,
    versionName: version,
    values: changes,
    generation: null,
  })
}

const REACHED: Readonly<Record<Exclude<Operation, 'delete'>, readonly VersionStatus[]>> = {
  start: ['STARTED', 'PUBLISHED'],
  restart: ['STARTED', 'PUBLISHED'],
  publish: ['PUBLISHED'],
  // One that broke can be unpublished, too, and stays what it is.
  unpublish: ['STARTED', 'STARTING', 'ERROR'],
  stop: ['STOPPED'],
}

async function changeVersion(
  operation: Exclude<Operation, 'delete'>,
  { runtime, version }: OfVersion,
  deps: RunDeps,
  condition: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { client, output, comment } = deps
  const wait = { onChange: (text: string) => output.step(`  ${text}`), ...deps }
  if (operation === 'start') await untilEnded(deps, runtime, version)
  // It may be on its way up since before this plan was made.
  if (operation === 'publish') await waitForStatus(client, runtime, version, REACHED.start, wait)
  await operate(client, operation, runtime, version, comment, condition)
  await waitForStatus(client, runtime, version, REACHED[operation], {
    ...wait,
    wasInError: operation === 'restart',
  })
}

/** Waits until a version, or all versions of a runtime (null), are not on their way down any more. */
async function untilEnded(
  { client, signal, timeoutMs }: RunDeps,
  runtime: string,
  version: string | null,
): Promise<void> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const versions =
      version === null
        ? await listVersions(client, runtime)
        : [await findVersion(client, runtime, version)]
    const ending = versions.filter(({ status }) => status === 'STOPPING')
    if (ending.length === 0) return
    if (performance.now() > end)
      throw new KreError(
        'deadline-exceeded',
        `${ending.map(({ name }) => `"${name}"`).join(', ')} of runtime "${runtime}" has not stopped after ${timeoutMs / 1000} s`,
      )
    await sleep(POLL_MS, undefined, { signal })
  }
}
