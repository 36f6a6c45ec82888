/** All workloads of the target: adopts, supervises, drains them. */
import { type VersionRef, type Workload } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { createChangeNotifier } from './change-notifier.ts'
import { endLeftovers } from './leftovers.ts'
import type { Ports } from './ports.ts'
import type { PreparedBundles } from './prepare-bundle.ts'
import { isRunning } from './process-table.ts'
import type { Replica } from './replica.ts'
import type { ProcessRecord, StateFiles } from './state-files.ts'
import {
  createWorkloadSupervisor,
  type SupervisorDeps,
  type WorkloadSupervisor,
} from './workload-supervisor.ts'

export type Fleet = {
  readonly supervisors: ReadonlyMap<string, WorkloadSupervisor>
  /** Every replica that has not ended yet, with its workload's supervisor. */
  replicas(): Iterable<[WorkloadSupervisor, Replica]>
  /** Versions that something runs for. */
  versions(): VersionRef[]
  /** @returns whether anything changes. */
  apply(workload: Workload): boolean
  /**
   * Drains workloads; nodes serve until the entrypoints of the same call have finished their requests.
   *
   * @returns the ids that there are. Returns before they are gone.
   */
  remove(ids: readonly string[]): Set<string>
  /** The same for everything; resolves when all are gone. Ports stay reserved. */
  removeAll(): Promise<void>
}

export type FleetDeps = Omit<SupervisorDeps, 'onChange' | 'onGone'> & {
  state: StateFiles
  ports: Ports
  bundles: PreparedBundles
  changes: ReturnType<typeof createChangeNotifier>
  logger: Logger
}

/** Opens the fleet with what an engine before this one left running. */
export async function openFleet(deps: FleetDeps): Promise<Fleet> {
  const { state, logger, changes } = deps
  const supervisors = new Map<string, WorkloadSupervisor>()
  let keepsPorts = false

  const supervise = (
    workload: Workload,
    adopted: readonly ProcessRecord[],
    after: Promise<void> | null,
  ) => {
    const onGone = (id: string) => {
      supervisors.delete(id)
      if (!keepsPorts && workload.version !== null) deps.ports.forget(id)
      discardFiles(deps, supervisors)
    }
    const onChange = (id: string) => changes.notify(id)
    const own = createWorkloadSupervisor({ ...deps, onChange, onGone }, workload, adopted, after)
    supervisors.set(workload.id, own)
    return own
  }

  await adopt(deps, supervisors, supervise)

  return {
    supervisors,
    *replicas() {
      for (const supervisor of supervisors.values())
        for (const replica of supervisor.replicas) yield [supervisor, replica]
    },
    versions: () => versionsOf(supervisors.values()),
    apply(workload) {
      const after = startCondition(deps, supervisors, workload)
      deps.ports.keep(workload.id)
      const known = supervisors.get(workload.id)
      if (known !== undefined) return known.apply(workload, after)
      state.saveWorkload({ ...workload })
      supervise(workload, [], after)
      return true
    },
    remove(ids) {
      const found = ids.flatMap((id) => supervisors.get(id) ?? [])
      for (const { workload } of found) if (workload.version !== null) deps.ports.leave(workload.id)
      drain(found).catch((error: unknown) => logger.error({ error, ids }, 'removal failed'))
      return new Set(found.map(({ workload }) => workload.id))
    },
    async removeAll() {
      keepsPorts = true
      await drain([...supervisors.values()])
      keepsPorts = false
    },
  }
}

/** Entrypoints first: what they have taken still needs the nodes. */
async function drain(supervisors: readonly WorkloadSupervisor[]): Promise<void> {
  const isEntrypoint = ({ workload }: WorkloadSupervisor) => workload.spec.kind === 'entrypoint'
  const entrypoints = supervisors.filter(isEntrypoint)
  const nodes = supervisors.filter((one) => !isEntrypoint(one))
  const finished = Promise.all(entrypoints.map((one) => one.remove(null)))
  await Promise.all([finished, ...nodes.map((one) => one.remove(finished))])
}

async function adopt(
  { state, logger, ...deps }: FleetDeps,
  supervisors: ReadonlyMap<string, WorkloadSupervisor>,
  supervise: (w: Workload, adopted: readonly ProcessRecord[], after: null) => WorkloadSupervisor,
): Promise<void> {
  const records = state.loadRecords()
  const living = records.filter(({ pid, identity }) => isRunning(pid, identity))
  const ended = await endLeftovers(state.launchPrefix, new Set(living.map(({ pid }) => pid)))
  if (living.length + ended.length > 0)
    logger.info({ adopted: living.length, ended }, 'processes of an earlier engine found')
  const recordsOf = (id: string) => records.filter((record) => record.workload.id === id)
  for (const workload of state.loadWorkloads()) supervise(workload, recordsOf(workload.id), null)
  for (const { workload } of records) {
    if (supervisors.has(workload.id)) continue
    // Not wanted any more: the engine before this one died while it drained.
    supervise(workload, recordsOf(workload.id), null)
      .remove(null)
      .catch((error: unknown) => logger.error({ error, id: workload.id }, 'removal failed'))
  }
  forgetPorts(deps.ports, supervisors)
  state.keepOnly(
    records.map(({ workload, replica }) => state.pathsOf(workload.id, replica)),
    new Set(supervisors.keys()),
  )
  discardFiles({ ...deps, logger }, supervisors)
}

/** Of what an engine before this one removed for good, and was killed before its last step. */
function forgetPorts(ports: Ports, supervisors: ReadonlyMap<string, WorkloadSupervisor>): void {
  for (const id of ports.leaving()) {
    const supervisor = supervisors.get(id)
    if (supervisor === undefined) ports.forget(id)
    else if (!supervisor.isRemoved) ports.keep(id)
  }
}

function discardFiles(
  { bundles, logger }: Pick<FleetDeps, 'bundles' | 'logger'>,
  supervisors: ReadonlyMap<string, WorkloadSupervisor>,
): void {
  try {
    const used = [...supervisors.values()].flatMap(({ workload }) => workload.bundleDigest ?? [])
    bundles.keepOnly(used)
  } catch (error) {
    logger.warn({ error }, 'files of unused bundles could not be removed')
  }
}

/** A version's entrypoint starts when its nodes are ready, so that its address appears when it works. */
function startCondition(
  { changes, released }: FleetDeps,
  supervisors: ReadonlyMap<string, WorkloadSupervisor>,
  { spec, runtimeId, version }: Workload,
): Promise<void> | null {
  if (spec.kind === 'node' || version === null) return null
  const isWaiting = () =>
    [...supervisors.values()].some(
      ({ workload, isSettled }) =>
        workload.spec.kind === 'node' &&
        workload.runtimeId === runtimeId &&
        workload.version === version &&
        !isSettled,
    )
  if (!isWaiting()) return null
  return new Promise((resolve) => {
    const stop = changes.watch(() => {
      if (isWaiting() && !released.aborted) return
      stop()
      resolve()
    })
  })
}

function versionsOf(supervisors: Iterable<WorkloadSupervisor>): VersionRef[] {
  const versions = new Map<string, VersionRef>()
  for (const { workload } of supervisors) {
    const { runtimeId, version } = workload
    if (version !== null) versions.set(`${runtimeId}.${version}`, { runtimeId, version })
  }
  return [...versions.values()]
}
