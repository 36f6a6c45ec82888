/**
 * Machines of a cluster that run nothing: they say of pods what a kubelet would say, so that everything but the
 * processes themselves is real. A pod becomes ready at once, and ends a moment after it is told to, unless the test
 * wants something else of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { toKreError } from '@kre/contracts'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import type { podState } from '../../../k8s-manager/src/kubernetes/observe/pod-state.ts'
import { ask, make } from './test-cluster.ts'

export type Pod = Parameters<typeof podState>[0]

/** What a kubelet would write into `status` of the pod; null = it is ready. */
export type Behaviour = (pod: Pod) => object | null

export type FakeNodes = AsyncDisposable & {
  /** Of pods in the namespace, from now on. */
  behave(namespace: string, behaviour: Behaviour): void
}

const MERGE = 'application/merge-patch+json'
/** A process that drains. */
const DRAIN_MS = 200
/** Between tries while the API server is away. */
const AGAIN_MS = 200

export async function startFakeNodes(
  cluster: Cluster,
  { count = 2, gpus = 1 } = {},
): Promise<FakeNodes> {
  const ended = new AbortController()
  const behaviours = new Map<string, Behaviour>()
  const names = Array.from({ length: count }, (_, index) => `fake-${index + 1}`)
  await Promise.all(names.map(async (name) => makeNode(cluster, name, gpus)))
  const under = new Set<Promise<void>>()
  const watching = followPods(cluster, ended.signal, (pod) => {
    const work = insist(ended.signal, async () => serve(cluster, pod, behaviours))
    under.add(work)
    void work.finally(() => under.delete(work))
  })
  return {
    behave: (namespace, behaviour) => void behaviours.set(namespace, behaviour),
    async [Symbol.asyncDispose]() {
      ended.abort()
      await watching
      await Promise.all(under)
    },
  }
}

async function makeNode(cluster: Cluster, name: string, gpus: number): Promise<void> {
  const path = `/api/v1/nodes/${name}`
  await make(cluster, path, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'konstellation.io/gpu': 'true' } },
  })
  const amounts = {
    cpu: '64',
    memory: '256Gi',
    pods: '500',
    'ephemeral-storage': '1000Gi',
    'nvidia.com/gpu': String(gpus),
  }
  await ask(
    cluster,
    'PATCH',
    `${path}/status`,
    {
      status: {
        capacity: amounts,
        allocatable: amounts,
        conditions: [{ type: 'Ready', status: 'True', reason: 'Fake', message: '' }],
      },
    },
    MERGE,
  )
  // New machines are tainted until a controller has heard of them, which this cluster has not.
  await ask(cluster, 'PATCH', path, { spec: { taints: null } }, MERGE)
}

async function followPods(
  cluster: Cluster,
  signal: AbortSignal,
  onPod: (pod: Pod) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const lines = await cluster.stream('/api/v1/pods?watch=true', signal)
      if ('status' in lines) throw new Error(`pods can't be watched: ${lines.status} ${lines.body}`)
      for await (const line of lines) {
        const { type, object } = JSON.parse(line) as { type: string; object: Pod }
        if (type === 'ADDED' || type === 'MODIFIED') onPod(object)
      }
    } catch (error) {
      if (signal.aborted) return
      // A server that is busy or away cuts its watches off; the next one begins with all pods.
      if (!isAway(error)) throw error
      await sleep(AGAIN_MS)
    }
  }
}

/** A kubelet goes on as soon as the API server is there again. */
async function insist(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      return await work()
    } catch (error) {
      // The pod, or its namespace, was gone before.
      if (signal.aborted || / 40[49] /.test(String(error))) return
      if (!isAway(error)) throw error
      await sleep(AGAIN_MS)
    }
  }
}

function isAway(error: unknown): boolean {
  return toKreError(error).code === 'unavailable' || / (?:429|5\d\d) /.test(String(error))
}

async function serve(
  cluster: Cluster,
  pod: Pod,
  behaviours: ReadonlyMap<string, Behaviour>,
): Promise<void> {
  const { name = '', namespace = '', deletionTimestamp, uid } = pod.metadata ?? {}
  if (!/^fake-\d+$/.test(pod.spec?.nodeName ?? '')) return
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`
  if (deletionTimestamp !== undefined) {
    await sleep(DRAIN_MS)
    const options = { gracePeriodSeconds: 0, preconditions: { uid } }
    await ask(cluster, 'DELETE', path, options, 'application/json')
    return
  }
  const wanted = behaviours.get(namespace)?.(pod) ?? readyStatus(pod)
  // A change of its own comes back as news.
  if (pod.metadata?.annotations?.['fake/status'] === JSON.stringify(wanted)) return
  const mark = { metadata: { annotations: { 'fake/status': JSON.stringify(wanted) } } }
  await ask(cluster, 'PATCH', path, mark, MERGE)
  await ask(cluster, 'PATCH', `${path}/status`, { status: wanted }, MERGE)
}

/** What a kubelet says of a pod whose containers run and answer. */
function readyStatus(pod: Pod): object {
  const since = pod.metadata?.creationTimestamp
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: since })
  return {
    phase: 'Running',
    startTime: since,
    podIP: '10.244.0.1',
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition),
    initContainerStatuses: (pod.spec?.initContainers ?? []).map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: true,
      restartCount: 0,
      state: { terminated: { exitCode: 0, reason: 'Completed' } },
    })),
    containerStatuses: (pod.spec?.containers ?? []).map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: since } },
    })),
  }
}

/** Of a pod whose container is in this state and not ready. */
export function brokenStatus(
  pod: Pod,
  container: { state: object; lastState?: object; restartCount?: number },
): object {
  const ready = readyStatus(pod) as { conditions: { type: string }[]; containerStatuses: object[] }
  return {
    ...ready,
    phase: 'Running',
    conditions: ready.conditions.map((one) =>
      one.type === 'Ready' || one.type === 'ContainersReady' ? { ...one, status: 'False' } : one,
    ),
    containerStatuses: ready.containerStatuses.map((one) => ({
      ...one,
      ready: false,
      started: false,
      restartCount: 0,
      ...container,
    })),
  }
}
