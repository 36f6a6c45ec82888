/** Keeps the replicas of one workload as its spec wants them; asked again after every change (see plan-replicas.ts). */
import type { DeathNotice, ReplicaObservation, Workload, WorkloadObservation } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { planReplicas } from './plan-replicas.ts'
import type { Ports } from './ports.ts'
import { createReplica, type Replica, type ReplicaDeps } from './replica.ts'
import type { LocalSettings } from './settings.ts'
import { isWithoutValues, type ProcessRecord, type StateFiles } from './state-files.ts'

export type WorkloadSupervisor = {
  readonly workload: Workload
  /** Every replica that has not ended yet. */
  readonly replicas: Iterable<Replica>
  readonly isRemoved: boolean
  /** Whether every wanted replica is ready or has failed: nothing more is gained by waiting. */
  readonly isSettled: boolean
  observe(): WorkloadObservation
  /**
   * Takes the workload as wanted.
   *
   * @param after nothing is started before it resolves.
   * @returns whether anything changes.
   */
  apply(workload: Workload, after: Promise<void> | null): boolean
  /**
   * Drains all replicas. Resolves when they are gone, or wanted again.
   *
   * @param after they go on serving until it resolves.
   */
  remove(after: Promise<unknown> | null): Promise<void>
}

export type SupervisorDeps = {
  state: StateFiles
  ports: Ports
  settings: LocalSettings
  logger: Logger
  launch: ReplicaDeps['launch']
  publishDeath: (workload: Workload, notice: DeathNotice) => void
  report: (workload: Workload, message: string) => void
  /** Something that `observe` shows changed. */
  onChange: (workloadId: string) => void
  /** The workload was removed and its last process is gone. */
  onGone: (workloadId: string) => void
  released: AbortSignal
}

/**
 * @param adopted replicas that an engine before this one started.
 * @param after nothing is started before it resolves.
 */
export function createWorkloadSupervisor(
  deps: SupervisorDeps,
  initial: Workload,
  adopted: readonly ProcessRecord[],
  after: Promise<void> | null,
): WorkloadSupervisor {
  const replicas = new Map<number, Replica>()
  const goneWaiters: (() => void)[] = []
  let workload = initial
  /** Its configuration values are not here: an engine before this one had them. */
  let isPartial = isWithoutValues(initial)
  let applied = Promise.withResolvers<void>()
  let isRemoved = false
  let isEnded = false
  /** Until it resolves nothing is started, and a removed workload is not drained. */
  let gate: Promise<unknown> | null = null

  /** An adopted replica gets its values with the workload that is wanted, as long as that is the same. */
  const launchWhenComplete: ReplicaDeps['launch'] = async (request) => {
    const { specHash } = request.workload
    if (!isWithoutValues(request.workload)) return deps.launch(request)
    while (isPartial || workload.specHash !== specHash) {
      await applied.promise
      if (!request.isStillWanted()) return null
    }
    return deps.launch({ ...request, workload })
  }
  const addReplica = (number: number, own: Workload, previous: ProcessRecord | null) => {
    const replica = createReplica(
      {
        ...deps,
        launch: launchWhenComplete,
        onChange: () => changed(),
        onGone: () => {
          replicas.delete(number)
          changed()
        },
        hasSibling: () =>
          [...replicas.values()].some((one) => one.number !== number && one.pid !== null),
        report: (message) => deps.report(workload, message),
      },
      number,
      own,
      previous,
    )
    replicas.set(number, replica)
  }

  let isReconciling = false
  const changed = () => {
    deps.onChange(workload.id)
    // Starting and stopping replicas reports changes in turn; one reconciliation sees them all.
    if (isReconciling || deps.released.aborted) return
    isReconciling = true
    queueMicrotask(() => {
      isReconciling = false
      if (deps.released.aborted) return
      try {
        reconcile()
      } catch (error) {
        // The next change tries again.
        deps.logger.error({ error, workload: workload.id }, 'reconciliation failed')
      }
    })
  }
  const reconcile = () => {
    if (isRemoved && gate !== null) return
    const plan = planReplicas({
      replicasWanted: isRemoved ? 0 : workload.replicas,
      specHash: workload.specHash,
      replicas: [...replicas.values()].map((replica) => ({
        number: replica.number,
        specHash: replica.specHash,
        ready: replica.isReady,
        stopping: replica.isStopping,
      })),
      overlaps: canOverlap(workload, replicas.values(), deps.settings),
    })
    for (const number of plan.stop) replicas.get(number)?.stop()
    if (gate === null && !isPartial)
      for (const number of plan.start) addReplica(number, workload, null)
    if (isRemoved && replicas.size === 0 && !isEnded) {
      isEnded = true
      deps.onGone(workload.id)
      tellRemovers()
      deps.state.forgetOutputs(workload.id)
    }
  }
  const tellRemovers = () => {
    for (const resolve of goneWaiters.splice(0)) resolve()
  }
  const waitFor = (until: Promise<unknown> | null) => {
    gate = until
    void until?.finally(() => {
      if (gate === until) gate = null
      changed()
    })
  }

  for (const record of adopted) addReplica(record.replica, record.workload, record)
  waitFor(after)
  changed()

  return {
    get workload() {
      return workload
    },
    get replicas() {
      return replicas.values()
    },
    get isRemoved() {
      return isRemoved
    },
    get isSettled() {
      const current = [...replicas.values()].filter((one) => one.specHash === workload.specHash)
      const settled = current.filter((one) => one.isReady || one.hasFailed)
      return isRemoved || settled.length >= workload.replicas
    },
    observe: () => {
      const observed = describeWorkload(workload, [...replicas.values()], deps)
      if (isRemoved) return { ...observed, replicasWanted: 0 }
      // None while it lacks its values, so that whoever wants it sees a difference.
      const replicasWanted = isPartial ? 0 : workload.replicas
      return { ...observed, replicasWanted, scale: workload.replicas }
    },
    apply(wanted, until) {
      const isSame = !isRemoved && isSameWorkload(workload, wanted)
      if (isSame && !isPartial) return false
      isPartial = false
      deps.state.saveWorkload({ ...wanted })
      workload = wanted
      isRemoved = false
      tellRemovers()
      for (const replica of replicas.values())
        if (replica.specHash === wanted.specHash) replica.update(wanted)
      applied.resolve()
      applied = Promise.withResolvers()
      waitFor(until)
      changed()
      return !isSame
    },
    remove(until) {
      const gone = new Promise<void>((resolve) => goneWaiters.push(resolve))
      if (!isRemoved) {
        isRemoved = true
        deps.state.forgetWorkload(workload.id)
        waitFor(until)
        // Only the first time: who removes again on each change that it hears of would hear of its own removal for ever.
        changed()
      }
      return gone
    },
  }
}

/** Two entrypoints share a port where the system can; a newcomer that could not have it shows that it can't. */
function canOverlap(
  workload: Workload,
  replicas: Iterable<Replica>,
  settings: LocalSettings,
): boolean {
  if (workload.spec.kind === 'node') return true
  return (
    settings.sharesPorts &&
    ![...replicas].some((replica) => !replica.isReady && replica.reason.includes('EADDRINUSE'))
  )
}

/** The spec's hash stands for the spec. */
function isSameWorkload(a: Workload, b: Workload): boolean {
  return (
    a.specHash === b.specHash && a.replicas === b.replicas && a.memoryBytesMax === b.memoryBytesMax
  )
}

function describeWorkload(
  workload: Workload,
  replicas: readonly Replica[],
  deps: Pick<SupervisorDeps, 'ports' | 'settings'>,
): Omit<WorkloadObservation, 'replicasWanted'> {
  const { spec } = workload
  const port = spec.kind === 'entrypoint' ? deps.ports.of(workload.id) : null
  const observed: ReplicaObservation[] = replicas
    .map((replica) => replica.observe())
    .toSorted((a, b) => a.replica - b.replica)
  return {
    id: workload.id,
    runtimeId: workload.runtimeId,
    version: workload.version,
    role: spec.kind,
    workflow: spec.kind === 'node' ? spec.workflow : null,
    node: spec.kind === 'node' ? spec.node : null,
    ...(spec.kind === 'node' && spec.fused !== undefined
      ? { fused: spec.fused.map(({ node }) => node) }
      : {}),
    specHash: workload.specHash,
    replicas: observed,
    address: port === null ? '' : `${deps.settings.host}:${port}`,
  }
}
