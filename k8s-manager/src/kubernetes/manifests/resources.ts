/** What a pod asks for and may use at most, and the nodes that may have it. */
import { KreError, MiB, type Workload } from '@kre/contracts'
import type {
  V1Affinity,
  V1PodSpec,
  V1ResourceRequirements,
  V1Toleration,
} from '@kubernetes/client-node'
import type { KubernetesSettings } from '../settings.ts'
import { LABEL } from './identity.ts'

/** Preparing a pod unpacks a bundle and generates modules, which a small node may have no memory for. */
const PREPARE_MEMORY_BYTES = 256 * MiB

/**
 * Memory is requested as it is limited, so that a node of the cluster never runs out of what it has promised. A
 * processor is only limited where the manifest or the operator says so: a limit makes a process wait while others are idle.
 */
export function containerResources(
  { resources, memoryBytesMax }: Workload,
  settings: KubernetesSettings,
): V1ResourceRequirements {
  const memory = quantityOfBytes(memoryBytesMax ?? settings.resources.memoryBytes)
  const storage = quantityOfBytes(settings.resources.storageBytes)
  const { cpuRequestMillis, cpuLimitMillis } = settings.resources
  const cpu = resources?.cpuMillis ?? { request: cpuRequestMillis, limit: cpuLimitMillis }
  const gpu = resources?.gpu ?? null
  const devices = gpu === null ? {} : { [settings.gpu.resource]: String(gpu.count) }
  return {
    requests: {
      cpu: quantityOfMillis(cpu.request),
      memory,
      'ephemeral-storage': storage,
      ...devices,
    },
    limits: {
      ...cpuLimit(cpu.limit),
      memory,
      'ephemeral-storage': storage,
      ...devices,
    },
  }
}

/** As much as the process gets that follows, so that preparing seldom changes where a pod fits. */
export function prepareResources(
  { memoryBytesMax }: Workload,
  { resources }: KubernetesSettings,
): V1ResourceRequirements {
  const own = memoryBytesMax ?? resources.memoryBytes
  const memory = quantityOfBytes(Math.max(own, PREPARE_MEMORY_BYTES))
  const storage = quantityOfBytes(resources.storageBytes)
  return {
    requests: {
      cpu: quantityOfMillis(resources.cpuRequestMillis),
      memory,
      'ephemeral-storage': storage,
    },
    limits: { ...cpuLimit(resources.cpuLimitMillis), memory, 'ephemeral-storage': storage },
  }
}

function cpuLimit(millis: number | null): Record<string, string> {
  return millis === null ? {} : { cpu: quantityOfMillis(millis) }
}

/** Where the pod may run, and how its replicas are spread. */
export function placement(
  workload: Workload,
  labels: Readonly<Record<string, string>>,
  { scheduling, gpu }: KubernetesSettings,
): Pick<
  V1PodSpec,
  'nodeSelector' | 'tolerations' | 'affinity' | 'priorityClassName' | 'topologySpreadConstraints'
> {
  const wanted = workload.resources?.gpu ?? null
  const nodeSelector = {
    ...scheduling.nodeSelector,
    ...(wanted === null ? {} : gpu.nodeSelector),
    ...(wanted === null || wanted.class === null ? {} : { [gpu.classLabel]: wanted.class }),
  }
  const tolerations = [...scheduling.tolerations, ...(wanted === null ? [] : gpu.tolerations)]
  const own = { [LABEL.workload]: labels[LABEL.workload] ?? '' }
  return {
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations: tolerations as V1Toleration[] }),
    ...(scheduling.affinity === null ? {} : { affinity: scheduling.affinity as V1Affinity }),
    ...(scheduling.priorityClassName === null
      ? {}
      : { priorityClassName: scheduling.priorityClassName }),
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: scheduling.topologyKey,
        // A cluster with one node is a cluster too.
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: own },
        // Pods of the spec that goes do not count against those of the one that comes.
        matchLabelKeys: ['pod-template-hash'],
      },
    ],
  }
}

/** `512Mi` where that is exact, else bytes. */
export function quantityOfBytes(bytes: number): string {
  assertAmount('memory', bytes)
  return bytes % MiB === 0 ? `${bytes / MiB}Mi` : String(bytes)
}

/** `2` for two processors, `250m` for a quarter of one. */
export function quantityOfMillis(millis: number): string {
  assertAmount('cpu', millis)
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`
}

function assertAmount(what: string, amount: number): void {
  if (!Number.isSafeInteger(amount) || amount <= 0)
    throw new KreError('invalid-argument', `${what}: ${amount} is no positive whole amount`)
}
