import { describe, expect, test } from '@jest/globals'
import { VERSION_STATUSES, VERSION_TRANSITIONS, type VersionStatus } from '@kre/contracts'
import fc from 'fast-check'
import { describePlan } from './describe-plan.ts'
import {
  planApply,
  PRUNABLE,
  type Desired,
  type DesiredRuntime,
  type Level,
  type Observed,
  type ObservedRuntime,
  type ObservedVersion,
  type Step,
} from './plan-apply.ts'

const nothing: Desired = { settings: {}, runtimes: [], users: [] }
const empty: Observed = { me: 'me@kre.io', settings: null, runtimes: new Map(), users: new Map() }
const runtime = (fields: Partial<DesiredRuntime> = {}): DesiredRuntime => ({
  id: 'shop',
  name: undefined,
  description: undefined,
  log: undefined,
  versions: undefined,
  published: undefined,
  at: 'a.yaml:1:1',
  ...fields,
})
const version = (name: string, fields: object = {}) => ({
  name,
  digest: `digest of ${name}`,
  state: undefined,
  keys: [],
  at: 'a.yaml:2:2',
  ...fields,
})
const observed = (versions: Record<string, VersionStatus>, published: string | null = null) => {
  const there: ObservedRuntime = {
    name: 'Shop',
    description: 'Sells',
    log: { days: null, bytesMax: null },
    published,
    versions: new Map(
      Object.entries(versions).map(([name, status]) => [
        name,
        { digest: `digest of ${name}`, status, differing: [] },
      ]),
    ),
  }
  return { ...empty, runtimes: new Map([['shop', there]]) }
}
const none = new Set<never>()
const text = (steps: readonly Step[]) =>
  describePlan({ steps, left: [], problems: [] }).split('\n\n')[0]

describe('a plan', () => {
  test('makes what is not there, in the order in which it can be made', () => {
    const wanted = runtime({
      versions: [version('v1', { state: 'started', keys: ['A'] })],
      published: 'v1',
    })
    const { steps } = planApply(
      {
        settings: { sessionLifetimeInDays: 9 },
        runtimes: [wanted],
        users: [{ email: 'eve@kre.io', level: null, grants: { shop: 'MANAGER' }, at: '' }],
      },
      empty,
      none,
    )
    expect(text(steps)).toBe(
      [
        '~ settings: sessionLifetimeInDays = 9',
        '+ runtime shop: create',
        '+ version shop/v1: upload',
        '~ version shop/v1: set A',
        '~ version shop/v1: start',
        '~ version shop/v1: publish',
        '+ user eve@kre.io: let in shop=MANAGER',
      ].join('\n'),
    )
  })

  test('moves the address before anything stops', () => {
    const wanted = runtime({
      versions: [version('v2', { state: 'started' }), version('v1', { state: 'stopped' })],
      published: 'v2',
    })
    const { steps } = planApply(
      { ...nothing, runtimes: [wanted] },
      observed({ v1: 'PUBLISHED', v2: 'STOPPED' }, 'v1'),
      none,
    )
    expect(text(steps)).toBe(
      '~ version shop/v2: start\n~ version shop/v2: publish\n~ version shop/v1: stop',
    )
  })

  test('leaves alone what is not named, and says what is as it should be', () => {
    const plan = planApply(
      { ...nothing, runtimes: [runtime({ name: 'Shop', versions: [version('v1')] })] },
      observed({ v1: 'PUBLISHED', v2: 'STARTED' }, 'v1'),
      none,
    )
    expect(plan).toEqual({ steps: [], left: ['runtime shop', 'version shop/v1'], problems: [] })
    expect(describePlan(plan)).toContain('Nothing to do.')
  })

  test('removes only of the kinds that are to be pruned', () => {
    const there = observed({ v1: 'PUBLISHED', v2: 'STOPPED' }, 'v1')
    const wanted = { ...nothing, runtimes: [runtime({ versions: [] })] }
    expect(text(planApply(wanted, there, new Set(['versions'])).steps)).toBe(
      [
        '~ version shop/v1: unpublish',
        '~ version shop/v1: stop',
        '- version shop/v1: delete',
        '- version shop/v2: delete',
      ].join('\n'),
    )
    const unlisted = { ...nothing, runtimes: [runtime()] }
    expect(planApply(unlisted, there, new Set(['versions', 'runtimes'])).steps).toEqual([])
    expect(text(planApply(nothing, there, new Set(['runtimes'])).steps)).toBe(
      '~ version shop/v1: unpublish\n~ version shop/v1: stop\n- runtime shop: delete with all its data',
    )
  })

  test.each<[string, Desired, Observed, string]>([
    [
      'other contents under a name',
      { ...nothing, runtimes: [runtime({ versions: [version('v1', { digest: 'other' })] })] },
      observed({ v1: 'CREATED' }),
      'with other contents',
    ],
    [
      'a version without a bundle',
      { ...nothing, runtimes: [runtime({ versions: [version('v9', { digest: null })] })] },
      observed({}),
      'name its bundle',
    ],
    [
      'an unknown published version',
      { ...nothing, runtimes: [runtime({ published: 'v9' })] },
      observed({}),
      'no such version',
    ],
    [
      'a new user without rights',
      { ...nothing, users: [{ email: 'x@y.z', level: undefined, grants: undefined, at: 'a:1:1' }] },
      empty,
      'give a level, or grants',
    ],
    [
      'a change of oneself',
      { ...nothing, users: [{ email: 'me@kre.io', level: 'VIEWER', grants: undefined, at: 'a' }] },
      { ...empty, users: new Map([['me@kre.io', { level: 'ADMIN', grants: {} }]]) },
      'is you',
    ],
  ])('refuses %s', (_what, desired, there, problem) => {
    expect(planApply(desired, there, none).problems).toEqual([expect.stringContaining(problem)])
  })

  test('is empty after it was done, whatever there was and is wanted', () => {
    fc.assert(
      fc.property(anyDesired, anyObserved, anyPrune, (desired, there, prune) => {
        const plan = planApply(desired, there, prune)
        fc.pre(plan.problems.length === 0)
        const after = plan.steps.reduce((state, step) => applied(state, step, desired), there)
        expect(planApply(desired, after, prune).steps).toEqual([])
      }),
      { numRuns: 1_000 },
    )
  })
})

/** What an engine makes of a step; refuses what an engine refuses. */
function applied(state: Observed, step: Step, desired: Desired): Observed {
  if ('email' in step) return { ...state, users: appliedToUser(state.users, step) }
  if (step.kind === 'update-settings')
    return {
      ...state,
      settings: {
        authAllowedDomains: [],
        sessionLifetimeInDays: 30,
        ...state.settings,
        ...step.change,
      },
    }
  const runtimes = new Map(state.runtimes)
  const now = runtimes.get(step.runtime)
  if (step.kind === 'create-runtime') {
    expect(now).toBeUndefined()
    const { name, description } = step
    const log = { days: null, bytesMax: null }
    runtimes.set(step.runtime, { name, description, log, versions: new Map(), published: null })
    return { ...state, runtimes }
  }
  if (now === undefined) throw new Error(`no runtime for ${step.kind}`)
  if (step.kind === 'update-runtime') {
    const { name = now.name, description = now.description } = step
    runtimes.set(step.runtime, { ...now, name, description })
  } else if (step.kind === 'set-log-limits') runtimes.set(step.runtime, { ...now, log: step.log })
  else if (step.kind === 'delete-runtime') {
    for (const { status } of now.versions.values())
      expect(['CREATED', 'STOPPED', 'STOPPING', 'CREATING']).toContain(status)
    runtimes.delete(step.runtime)
  } else runtimes.set(step.runtime, appliedToVersion(now, step, desired))
  return { ...state, runtimes }
}

function appliedToUser(
  users: Observed['users'],
  step: Extract<Step, { email: string }>,
): Observed['users'] {
  const after = new Map(users)
  const now = users.get(step.email)
  expect(now === undefined).toBe(step.kind === 'create-user')
  const { level = null, grants = {} } = now ?? {}
  if (step.kind === 'create-user') after.set(step.email, { level: step.level, grants: step.grants })
  else if (step.kind === 'set-level') after.set(step.email, { level: step.level, grants })
  else if (step.kind === 'set-grants') after.set(step.email, { level, grants: step.grants })
  else after.delete(step.email)
  return after
}

function appliedToVersion(
  now: ObservedRuntime,
  step: Extract<Step, { version: string }>,
  desired: Desired,
): ObservedRuntime {
  const versions = new Map(now.versions)
  let { published } = now
  const current = versions.get(step.version)
  const become = (change: Partial<ObservedVersion>) =>
    versions.set(step.version, {
      digest: '',
      status: 'CREATED',
      differing: [],
      ...versions.get(step.version),
      ...change,
    })
  if (step.kind === 'create-version') {
    expect(current).toBeUndefined()
    const wanted = desired.runtimes.find(({ id }) => id === step.runtime)
    const { digest } = wanted?.versions?.find(({ name }) => name === step.version) ?? {}
    become({ digest: digest ?? '' })
    return { ...now, versions }
  }
  if (current === undefined) throw new Error(`no version for ${step.kind}`)
  if (step.kind === 'configure') become({ differing: [] })
  else if (step.kind === 'delete-version') {
    expect(['CREATED', 'STOPPED', 'STOPPING', 'CREATING']).toContain(current.status)
    versions.delete(step.version)
  } else {
    // Both wait for a version that is on its way.
    const arrived =
      step.kind === 'start' && current.status === 'STOPPING'
        ? 'STOPPED'
        : step.kind === 'publish' && ['STARTING', 'CREATING'].includes(current.status)
          ? 'STARTED'
          : current.status
    // What is meant to be published can be taken off whatever became of it.
    if (step.kind === 'unpublish') expect(published).toBe(step.version)
    else expect(VERSION_TRANSITIONS[step.kind].from).toContain(arrived)
    if (step.kind === 'stop') expect(published).not.toBe(step.version)
    if (step.kind !== 'unpublish' || arrived === 'PUBLISHED')
      become({ status: VERSION_TRANSITIONS[step.kind].to ?? 'STOPPED' })
    if (step.kind === 'publish') {
      if (published !== null && published !== step.version)
        versions.set(published, {
          ...(versions.get(published) as ObservedVersion),
          status: 'STARTED',
        })
      published = step.version
      become({ status: 'PUBLISHED' })
    }
    if (step.kind === 'unpublish') published = null
    if (step.kind === 'restart' && published === step.version) become({ status: 'PUBLISHED' })
  }
  return { ...now, versions, published }
}

const names = fc.constantFrom('v1', 'v2', 'v3')
const levels = fc.constantFrom<Level | null>('VIEWER', 'MANAGER', 'ADMIN', null)
const grants = fc.dictionary(fc.constantFrom('shop', 'lab'), fc.constantFrom('VIEWER', 'MANAGER'))
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const logs = fc.record({ days: fc.constantFrom(1, 7, null), bytesMax: fc.constantFrom(null, 5) })
const unique = <T>(item: fc.Arbitrary<T>, by: (value: T) => string) =>
  fc.uniqueArray(item, { selector: by, maxLength: 3 })

const anyDesired: fc.Arbitrary<Desired> = fc.record({
  settings: fc.record(
    {
      authAllowedDomains: fc.subarray(['a.org', 'b.org']),
      sessionLifetimeInDays: fc.constantFrom(1, 30),
    },
    { requiredKeys: [] },
  ),
  runtimes: unique(
    fc.record({
      id: fc.constantFrom('shop', 'lab'),
      name: maybe(fc.constantFrom('A', 'B')),
      description: maybe(fc.constantFrom('A', 'B')),
      log: maybe(logs),
      versions: maybe(
        unique(
          fc.record({
            name: names,
            digest: fc.constantFrom('d', null),
            state: maybe(fc.constantFrom('started' as const, 'stopped' as const)),
            keys: fc.subarray(['A', 'B']),
            at: fc.constant('x'),
          }),
          ({ name }) => name,
        ),
      ),
      published: fc.option(maybe(names), { nil: null }),
      at: fc.constant('x'),
    }),
    ({ id }) => id,
  ),
  users: unique(
    fc.record({
      email: fc.constantFrom('a', 'b'),
      level: maybe(levels),
      grants: maybe(grants),
      at: fc.constant('x'),
    }),
    ({ email }) => email,
  ),
})

const anyRuntime: fc.Arbitrary<ObservedRuntime> = fc
  .record({
    name: fc.constantFrom('A', 'C'),
    description: fc.constantFrom('A', 'C'),
    log: logs,
    statuses: fc.dictionary(
      names,
      fc.record({
        status: fc.constantFrom(...VERSION_STATUSES.filter((status) => status !== 'PUBLISHED')),
        differing: fc.subarray(['A']),
      }),
    ),
    published: fc.option(names, { nil: null }),
  })
  .map(({ statuses, published, ...rest }) => {
    const isThere = published !== null && statuses[published] !== undefined
    const versions = Object.entries(statuses).map(([name, { status, differing }]) => {
      // What is published is wanted, so it is up or in error.
      const up = status === 'ERROR' ? 'ERROR' : 'PUBLISHED'
      const is = isThere && name === published ? up : status
      return [name, { digest: 'd', status: is, differing }] as const
    })
    return { ...rest, versions: new Map(versions), published: isThere ? published : null }
  })

const anyObserved: fc.Arbitrary<Observed> = fc.record({
  me: fc.constant('me'),
  settings: fc.option(
    fc.record({
      authAllowedDomains: fc.subarray(['a.org', 'b.org']),
      sessionLifetimeInDays: fc.constantFrom(1, 30),
    }),
    { nil: null },
  ),
  runtimes: fc
    .dictionary(fc.constantFrom('shop', 'lab', 'old'), anyRuntime)
    .map((found) => new Map(Object.entries(found))),
  users: fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'me'), fc.record({ level: levels, grants }))
    .map((found) => new Map(Object.entries(found))),
})

const anyPrune = fc.subarray([...PRUNABLE]).map((kinds) => new Set(kinds))
