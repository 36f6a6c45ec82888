/** One pass over one runtime: read intent, observe, do what differs, write down what was seen. */
import {
  toKreError,
  type NatsManager,
  type NatsVersion,
  type Placement,
  type Release,
  type Target,
  type TargetPlan,
  type Workload,
  type WorkloadObservation,
} from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { Store } from '@kre/store'
import { compile, type CompileOne, type CompileSettings } from './compile.ts'
import { diff, isReady, route } from './diff.ts'
import { finishPublication } from './finish-publication.ts'
import type { Autoscaler } from './scaling/autoscaler.ts'

export type ConvergeDeps = {
  store: Pick<Store, 'versions' | 'releases' | 'config' | 'placements'>
  target: Target
  nats: NatsManager
  settings: CompileSettings
  /** Remembers what it has compiled. Absent = each pass compiles all. */
  compileOne?: CompileOne
  logger: Logger
  now: () => Date
  /** Why this engine, and no other, may act. */
  fence: Fence
  /** Knows how many replicas a workload that follows its load shall have. Absent = it keeps those it starts with. */
  autoscaler?: Pick<Autoscaler, 'replicasOf' | 'seen' | 'watch'>
}

/** The lease of the one engine that acts on the world. */
export type Fence = {
  /** Sent along with what can compare it, so that the late write of a former holder is refused. */
  readonly token: number
  /** Asked right before each effect. @throws KreError `unavailable` while nobody knows whether the lease is still held, `aborted` when it is not. */
  assertHeld(): void
}

/** @returns whether the runtime is as its release wants it, so that only drift needs another pass. */
export async function convergeRuntime(
  deps: ConvergeDeps,
  runtimeId: string,
  signal: AbortSignal,
): Promise<boolean> {
  deps.fence.assertHeld()
  const intent = await readIntent(deps, runtimeId)
  await finishPublication(deps.store, intent.release, intent.versions)
  const compiled = compile(
    runtimeId,
    intent.release,
    intent.versions,
    deps.settings,
    deps.compileOne,
  )
  const failures = { ...compiled.failures }
  /** What shall run, given what does: how many replicas follow their load is kept there. */
  const desired = (observed: readonly WorkloadObservation[]) =>
    scaled(deps, compiled.workloads, observed)
  const stages: Record<string, string> = {}
  let blocked = false
  const blame = (error: unknown, versions: Iterable<string>) => {
    const { code, message } = toKreError(error)
    deps.logger.error({ runtimeId, error }, 'a step of convergence failed')
    blocked = true
    // What is away comes back: versions that run are not broken by it, others wait for it.
    for (const version of versions)
      (code === 'unavailable' ? stages : failures)[version] ??= message
  }
  const wanted = new Set(intent.release?.running.map((running) => running.version))

  let isNatsTidy = true
  let isPrepared = true
  let routed: string | null = null
  try {
    const running = await observe(deps, runtimeId, signal)
    deps.fence.assertHeld()
    const { waiting = [] } = await deps.nats.converge(
      runtimeId,
      natsVersions(intent, wanted, running),
    )
    isNatsTidy = waiting.length === 0
    routed = (await deps.nats.readRouting(runtimeId))?.published ?? null
    // Before anything is removed: nobody is sent to a version that is about to end.
    const now = await observe(deps, runtimeId, signal)
    routed = await applyRoute(deps, runtimeId, intent.release, routed, desired(now), now)
  } catch (error) {
    isPrepared = false
    blame(error, wanted)
  }

  const before = await observe(deps, runtimeId, signal).catch(async (error: unknown) => {
    await noteBlindness(deps, runtimeId, wanted, error)
    throw error
  })
  const plan = keepUnreadable(diff(desired(before), before), before, intent.versions)
  // Nothing is started on a NATS that could not be prepared, also for a moment: what starts would wait for accounts that
  // the next pass makes. And nothing is stopped on a guess.
  if (isPrepared && plan.apply.length + plan.remove.length > 0) {
    try {
      deps.fence.assertHeld()
      for await (const event of deps.target.apply(plan, signal)) {
        deps.logger.info({ runtimeId, stage: event.stage, status: event.status }, event.message)
      }
    } catch (error) {
      blame(
        error,
        plan.apply.flatMap((workload) => workload.version ?? []),
      )
    }
  }

  const workloads = await observe(deps, runtimeId, signal)
  const wantedNow = desired(workloads)
  deps.autoscaler?.seen(runtimeId, wantedNow, workloads)
  const settled = keepUnreadable(diff(wantedNow, workloads), workloads, intent.versions)
  const placement: Placement = {
    runtimeId,
    generation: intent.release?.generation ?? 0,
    workloads,
    routed,
    failures,
    stages,
    observedAt: deps.now(),
  }
  await deps.store.placements.put(placement, deps.fence.token)
  return (
    !blocked &&
    isNatsTidy &&
    Object.keys(failures).length === 0 &&
    settled.apply.length + settled.remove.length === 0 &&
    routed === (intent.release?.published ?? null) &&
    (wantedNow.length === 0 || isReady(wantedNow, workloads))
  )
}

function scaled(
  { autoscaler }: Pick<ConvergeDeps, 'autoscaler'>,
  workloads: readonly Workload[],
  observed: readonly WorkloadObservation[],
): readonly Workload[] {
  if (autoscaler === undefined) return workloads
  const there = new Map(observed.map((one) => [one.id, one]))
  return workloads.map((workload) => {
    const replicas = autoscaler.replicasOf(workload, there.get(workload.id))
    return replicas === workload.replicas ? workload : { ...workload, replicas }
  })
}

/** One pass over a runtime that is in no store any more. @returns whether nothing of it is left. */
export async function removeRuntime(
  deps: ConvergeDeps,
  runtimeId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const left = await observe(deps, runtimeId, signal)
  deps.autoscaler?.seen(runtimeId, [], left)
  if (left.length > 0) {
    const remove = left.map((workload) => workload.id)
    deps.fence.assertHeld()
    for await (const event of deps.target.apply({ apply: [], remove }, signal)) {
      deps.logger.info({ runtimeId, stage: event.stage, status: event.status }, event.message)
    }
    if ((await observe(deps, runtimeId, signal)).length > 0) return false
  }
  deps.fence.assertHeld()
  await deps.nats.removeRuntime(runtimeId)
  await deps.store.placements.remove(runtimeId)
  return true
}

type Intent = {
  release: Release | null
  versions: {
    name: string
    id: string
    bundleDigest: string
    facts: NatsVersion['facts']
    publishedAt: Date | null
    config: { key: string; type: 'VARIABLE' | 'FILE'; value: string }[]
    unreadable?: string
  }[]
}

async function readIntent({ store }: ConvergeDeps, runtimeId: string): Promise<Intent> {
  const [release, versions] = await Promise.all([
    store.releases.current(runtimeId),
    store.versions.list(runtimeId),
  ])
  const wanted = new Set(release?.running.map((running) => running.version))
  return {
    release,
    versions: await Promise.all(
      versions.map(async (version) => ({
        ...version,
        ...(wanted.has(version.name)
          ? await readValues(store, runtimeId, version.name)
          : { config: [] }),
      })),
    ),
  }
}

/** One damaged value is the failure of its version alone. */
async function readValues(
  { config }: ConvergeDeps['store'],
  runtimeId: string,
  version: string,
): Promise<Pick<Intent['versions'][number], 'config' | 'unreadable'>> {
  try {
    return { config: await config.get(runtimeId, version) }
  } catch (error) {
    const { details, message } = toKreError(error)
    if (details['reason'] !== 'SECRET_CORRUPT') throw error
    return { config: [], unreadable: message }
  }
}

/** Nobody knows what runs now. What was seen last stays, with the reason for who waits. */
async function noteBlindness(
  { store, now, fence }: ConvergeDeps,
  runtimeId: string,
  wanted: ReadonlySet<string>,
  error: unknown,
): Promise<void> {
  const before = await store.placements.get(runtimeId)
  const reason = `what runs can't be looked at: ${toKreError(error).message}`
  const placement: Placement = {
    ...(before ?? { runtimeId, generation: 0, workloads: [], routed: null, failures: {} }),
    stages: Object.fromEntries([...wanted].map((version) => [version, reason])),
    observedAt: now(),
  }
  await store.placements.put(placement, fence.token)
}

/** What runs goes on with the values it has: a value that can't be read now is no reason to end it. */
function keepUnreadable(
  plan: TargetPlan,
  observed: readonly WorkloadObservation[],
  versions: Intent['versions'],
): TargetPlan {
  const unreadable = new Set(
    versions.filter((one) => one.unreadable !== undefined).map(({ name }) => name),
  )
  if (unreadable.size === 0) return plan
  const kept = new Set(
    observed
      // The published address belongs to all of them.
      .filter(({ version }) => version === null || unreadable.has(version))
      .map(({ id }) => id),
  )
  return { ...plan, remove: plan.remove.filter((id) => !kept.has(id)) }
}

function natsVersions(
  intent: Intent,
  wanted: ReadonlySet<string>,
  running: readonly WorkloadObservation[],
): NatsVersion[] {
  const draining = new Set(running.map(({ version }) => version))
  return intent.versions.map((version) => ({
    version: version.name,
    versionId: version.id,
    bundleDigest: version.bundleDigest,
    facts: version.facts,
    wanted: wanted.has(version.name),
    isDraining: !wanted.has(version.name) && draining.has(version.name),
  }))
}

async function observe(
  deps: ConvergeDeps,
  runtimeId: string,
  signal: AbortSignal,
): Promise<WorkloadObservation[]> {
  return (await deps.target.fetch(signal, runtimeId)).filter(
    (workload) => workload.runtimeId === runtimeId,
  )
}

async function applyRoute(
  deps: ConvergeDeps,
  runtimeId: string,
  release: Release | null,
  routed: string | null,
  desired: readonly Workload[],
  observed: readonly WorkloadObservation[],
): Promise<string | null> {
  const ready = (version: string) =>
    isReady(
      desired.filter((workload) => workload.version === version),
      observed,
    )
  const next = route(release, routed, ready)
  if (next === routed) return routed
  deps.fence.assertHeld()
  const table = { generation: release?.generation ?? 0, published: next }
  await deps.nats.writeRouting(runtimeId, table, deps.fence.token)
  deps.logger.info({ runtimeId, from: routed, to: next }, 'the published version changed')
  return next
}
