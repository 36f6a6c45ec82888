import type { EngineProcess, EngineStatus, WorkloadObservation } from '@kre/contracts'
import type { EngineRecord } from '@kre/service-kit'
import type { Role } from './role.ts'

const VERSION = '0.1.0'
const FETCH_TIMEOUT_MS = 5_000

/** Every process of this engine and every address it serves, as they are now. */
export async function describeEngine(deps: {
  role: Role
  /** `host:port` of nats-server. */
  natsAddress: string
  /** All engines of the folder, the one that leads last. */
  engines: readonly EngineRecord[]
  adminUrl: string
  dataDir: string
  startedAt: Date
}): Promise<EngineStatus> {
  const workloads = [
    ...(await deps.role.workloads(AbortSignal.timeout(FETCH_TIMEOUT_MS))),
  ].toSorted((a, b) => orderKey(a).localeCompare(orderKey(b)))
  const nats = await deps.role.natsPids()
  return {
    engine: { version: VERSION, startedAt: deps.startedAt.toISOString(), dataDir: deps.dataDir },
    processes: [
      ...[...deps.engines].toReversed().map(({ pid }) => engineProcess('engine', pid)),
      ...(nats === null
        ? []
        : [engineProcess('nats-server', nats.server), engineProcess('nats-guard', nats.guard)]),
      ...workloads.flatMap(workloadProcesses),
    ],
    addresses: [
      { name: 'admin API', runtime: null, version: null, address: new URL(deps.adminUrl).host },
      {
        name: 'nats-server',
        runtime: null,
        version: null,
        address: deps.natsAddress,
      },
      ...workloads
        .filter((workload) => workload.address !== '')
        .map((workload) => ({
          name:
            workload.version === null
              ? `runtime ${workload.runtimeId} (published)`
              : `version ${workload.runtimeId}/${workload.version}`,
          runtime: workload.runtimeId,
          version: workload.version,
          address: workload.address,
        })),
    ],
  }
}

/** Runtime by runtime, its published entrypoint before its versions, nodes in the order of their names. */
function orderKey({ runtimeId, version, role, workflow, node }: WorkloadObservation): string {
  return [runtimeId, version ?? '', role, workflow ?? '', node ?? ''].join('/')
}

function engineProcess(role: EngineProcess['role'], pid: number | null): EngineProcess {
  const state = pid === null ? 'gone' : 'ready'
  return {
    role,
    runtime: null,
    version: null,
    workflow: null,
    node: null,
    fused: [],
    replica: null,
    pid,
    state,
    restarts: 0,
    reason: '',
  }
}

function workloadProcesses(workload: WorkloadObservation): EngineProcess[] {
  return workload.replicas.map((replica) => ({
    role: workload.role,
    runtime: workload.runtimeId,
    version: workload.version,
    workflow: workload.workflow,
    node: workload.node,
    fused: workload.fused ?? [],
    replica: replica.replica,
    pid: replica.pid,
    state: replica.state,
    restarts: replica.restarts,
    reason: replica.reason,
  }))
}
