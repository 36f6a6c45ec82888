/** The target in a namespace of its own, with the rights of its Role there, and what tests ask the cluster about it. */
import type { Target } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import {
  type Cluster,
  openCluster,
} from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { createKubernetesTarget } from '../../../k8s-manager/src/kubernetes/create-kubernetes-target.ts'
import { replicaNumber } from '../../../k8s-manager/src/kubernetes/pod-layout.ts'
import type { KubernetesSettings } from '../../../k8s-manager/src/kubernetes/settings.ts'
import { kubernetesSettings } from '../../../k8s-manager/src/testing/kubernetes-settings.ts'
import type { Pod } from './fake-nodes.ts'
import { ask, makeNamespace, type TestNamespace } from './test-cluster.ts'

type Changes = Parameters<typeof kubernetesSettings>[0]

export type StartedTarget = AsyncDisposable & {
  target: Target
  /** Where its account is, and where versions run unless the test wants them elsewhere. */
  namespace: TestNamespace
  /** Messages of the engine's log, from warnings on, with the errors in them. */
  readonly log: readonly string[]
  /** The next engine, after the first one has let go. */
  another(changes?: Changes): Promise<AsyncDisposable & { target: Target }>
  kill(replica: number): Promise<void>
}

export type StartOptions = {
  /** How the cluster is reached; by the file itself without it. */
  readonly open?: (kubeconfig: string, namespace: TestNamespace) => Cluster
  /** Done before the target looks at the cluster. */
  readonly before?: (namespace: TestNamespace) => Promise<void>
  /** Where versions run, by the namespace of the account. */
  readonly versionsIn?: (own: string) => string
}

export async function startTarget(
  admin: Cluster,
  settings: Changes = {},
  { open = openCluster, before, versionsIn = (own) => own }: StartOptions = {},
): Promise<StartedTarget> {
  const namespace = await makeNamespace(admin, settings.publish?.mode)
  await before?.(namespace)
  const log: string[] = []
  const destination = { write: (line: string) => void log.push(messageIn(line)) }
  const start = async (changes: Changes) => {
    const cluster = open(await namespace.kubeconfig(), namespace)
    const target = createKubernetesTarget({
      cluster,
      settings: settingsFor(versionsIn(namespace.name), changes),
      logger: createLogger('test', { level: 'warn', destination }),
      runnerAccess: () => ({ servers: ['nats://nats:4222'], user: 'u', password: 'p' }),
      provideBundle: async () => undefined,
    })
    return {
      target,
      async [Symbol.asyncDispose]() {
        await target[Symbol.asyncDispose]()
        cluster[Symbol.dispose]()
      },
    }
  }
  const first = await start(settings)
  return {
    namespace,
    log,
    target: first.target,
    async another(changes = settings) {
      await first[Symbol.asyncDispose]()
      return start(changes)
    },
    async kill(replica) {
      const path = `/api/v1/namespaces/${namespace.name}/pods`
      const { items } = (await ask(admin, 'GET', path)) as { items: Pod[] }
      const pod = items.find(({ metadata }) => replicaNumber(metadata?.uid ?? '') === replica)
      if (pod === undefined) throw new Error(`no pod is replica ${replica}`)
      const options = { gracePeriodSeconds: 0 }
      await ask(admin, 'DELETE', `${path}/${pod.metadata?.name}`, options, 'application/json')
    },
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]()
      await namespace[Symbol.asyncDispose]()
    },
  }
}

function settingsFor(namespace: string, changes: Changes): KubernetesSettings {
  return kubernetesSettings({ namespace, drainMs: 1_000, lameDuckMs: 0, ...changes })
}

export async function specOf(admin: Cluster, path: string): Promise<object> {
  return ((await ask(admin, 'GET', path)) as { spec: object }).spec
}

/** Events of what was changed by hand. */
export async function driftsIn(
  admin: Cluster,
  { name }: TestNamespace,
): Promise<{ message: string; involvedObject: object }[]> {
  const { items } = (await ask(admin, 'GET', `/api/v1/namespaces/${name}/events`)) as {
    items: { reason: string; message: string; involvedObject: object }[]
  }
  return items.filter(({ reason }) => reason === 'DriftRepaired')
}

/** Objects that the engine has made, of all kinds. */
export async function countOwn(namespace: TestNamespace): Promise<number> {
  const apis = [
    ...['configmaps', 'secrets', 'services', 'serviceaccounts', 'pods'].map(
      (plural) => `/api/v1/namespaces/NS/${plural}`,
    ),
    '/apis/apps/v1/namespaces/NS/deployments',
    '/apis/apps/v1/namespaces/NS/replicasets',
    '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
    ...['networkpolicies', 'ingresses'].map(
      (plural) => `/apis/networking.k8s.io/v1/namespaces/NS/${plural}`,
    ),
  ]
  const selector = '?labelSelector=kre.dev%2Finstallation%3Dkre'
  const all = await Promise.all(apis.map(async (api) => namespace.names(`${api}${selector}`)))
  return all.flat().length
}

/** Of a line of the engine's log. */
function messageIn(line: string): string {
  const { msg, reason, error } = JSON.parse(line) as {
    msg: string
    reason?: string
    error?: { message: string }
  }
  return [msg, reason, error?.message].filter((part) => part !== undefined).join(': ')
}
