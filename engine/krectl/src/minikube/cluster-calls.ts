/** What minikube, kubectl and helm are asked to do, as data. */
import type { Call } from '../programs/run-program.ts'
import type { ClusterSettings } from './cluster-settings.ts'

/** Of minikube: what KRE uses. The registry holds its images, because pods name them by digest. */
const ADDONS = ['ingress', 'metrics-server', 'registry', 'storage-provisioner'] as const
/** Where the registry of the addon is for the cluster's own Docker. */
export const CLUSTER_REGISTRY = 'localhost:5000'
/** Of helm and kubectl: until everything is ready. */
const READY_TIMEOUT = '15m'

/** A profile that runs is left as it is. */
export function startCluster(settings: ClusterSettings): Call {
  const { profile, cpus, memory, kubernetesVersion, diskSize, driver } = settings
  return {
    program: 'minikube',
    args: [
      'start',
      '-p',
      profile,
      `--cpus=${cpus}`,
      `--memory=${memory}`,
      `--kubernetes-version=${kubernetesVersion}`,
      `--disk-size=${diskSize}`,
      `--driver=${driver}`,
      `--addons=${ADDONS.join(',')}`,
    ],
  }
}

/** Its disk stays. */
export function stopCluster({ profile }: ClusterSettings): Call {
  return { program: 'minikube', args: ['stop', '-p', profile] }
}

/** Prints the address that its Ingress answers at. */
export function clusterAddress({ profile }: ClusterSettings): Call {
  return { program: 'minikube', args: ['-p', profile, 'ip'] }
}

/** Prints the variables of the cluster's own Docker, one NAME=VALUE a line. */
export function clusterDocker({ profile }: ClusterSettings): Call {
  return { program: 'minikube', args: ['-p', profile, 'docker-env', '--shell', 'none'] }
}

const DOCKER_VARIABLES: ReadonlySet<string> = new Set([
  'DOCKER_TLS_VERIFY',
  'DOCKER_HOST',
  'DOCKER_CERT_PATH',
  'DOCKER_API_VERSION',
])

/** Nothing but what names the Docker is taken over. */
export function parseDockerVariables(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const [, name = '', value = ''] = /^(?:export )?(\w+)="?([^"]*)"?$/.exec(line.trim()) ?? []
    return DOCKER_VARIABLES.has(name) ? [[name, value]] : []
  })
  return Object.fromEntries(pairs)
}

export function findNamespace(settings: ClusterSettings): Call {
  const { namespace } = settings
  return kubectl(settings, ['get', 'namespace', namespace, '--ignore-not-found', '-o', 'name'])
}

export function createNamespace(settings: ClusterSettings): Call {
  return kubectl(settings, ['create', 'namespace', settings.namespace])
}

export function findSecret(settings: ClusterSettings, name: string): Call {
  return inNamespace(settings, ['get', 'secret', name, '--ignore-not-found', '-o', 'name'])
}

/** What is made is read by kubectl, and stands in no list of processes. */
export function makeObjects(settings: ClusterSettings, objects: object): Call {
  const args = ['apply', '--server-side', '--field-manager', 'krectl', '--filename', '-']
  return { ...inNamespace(settings, args), input: JSON.stringify(objects) }
}

/** Until its pod is ready: the first time, its image has to be fetched. */
export function awaitMongodb(settings: ClusterSettings): Call {
  const { mongodbSecret } = settings
  const args = ['rollout', 'status', `statefulset/${mongodbSecret}`, '--timeout', READY_TIMEOUT]
  return inNamespace(settings, args)
}

/** Prints the token of the installation's first administrator. */
export function readToken(settings: ClusterSettings): Call {
  const template = 'go-template={{.data.token | base64decode}}'
  return inNamespace(settings, ['get', 'secret', keysSecret(settings), '-o', template])
}

/** Goes on until it is ended. @param port null = a free one, which it prints. */
export function forwardAdmin(settings: ClusterSettings, port: number | null): Call {
  const ports = `${port ?? ''}:80`
  return inNamespace(settings, ['port-forward', `service/${settings.release}-engine`, ports])
}

/** @param values files, of which later ones win. */
export function deployChart(
  settings: ClusterSettings,
  chart: string,
  values: readonly string[],
): Call {
  const { release, profile, namespace } = settings
  return {
    program: 'helm',
    args: [
      'upgrade',
      '--install',
      release,
      chart,
      '--kube-context',
      profile,
      '--namespace',
      namespace,
      ...values.flatMap((file) => ['--values', file]),
      '--wait',
      '--timeout',
      READY_TIMEOUT,
    ],
  }
}

function keysSecret({ release }: ClusterSettings): string {
  return `${release}-keys`
}

function inNamespace(settings: ClusterSettings, args: readonly string[]): Call {
  return kubectl(settings, ['--namespace', settings.namespace, ...args])
}

/** A context is always named: the current one may be somebody's production. */
function kubectl({ profile }: ClusterSettings, args: readonly string[]): Call {
  return { program: 'kubectl', args: ['--context', profile, ...args] }
}
