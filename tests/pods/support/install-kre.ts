/** The whole product on the real node, as its users install it: the chart, a database beside it, volumes of the node. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { CHART } from '../../chart/support/chart-files.ts'
import { type Manifest, runHelm } from '../../chart/support/helm.ts'
import { pathOf } from '../../chart/support/make-home.ts'
import { ask, make, openAsAdmin } from '../../cluster/support/test-cluster.ts'
import { DATABASE_SECRET, databaseObjects } from './database.ts'
import { type Krectl, krectlAt } from './krectl-at.ts'
import { loadImages, type NodeImages } from './load-images.ts'
import { openTunnel } from './open-tunnel.ts'
import { NODE_DIR } from './why-no-pods.ts'

export type InstallOptions = {
  engines: number
  natsServers: 1 | 3
  /** Variables of the engine besides those of the chart. */
  environment?: Readonly<Record<string, string>>
  /** More values of the chart, as `--set` has them. */
  values?: readonly string[]
}

export type Installation = AsyncDisposable & {
  readonly admin: Cluster
  readonly namespace: string
  readonly krectl: Krectl
  helm(...args: string[]): Promise<string>
  /** `host:port` of a Service. */
  addressOf(service: string): Promise<string>
}

const RELEASE = 'kre'
/** For a computer with much else to do. */
const READY_S = 300

export async function installKre(options: InstallOptions): Promise<Installation> {
  await using cleanup = new AsyncDisposableStack()
  const images = await loadImages()
  const admin = openAsAdmin()
  cleanup.defer(() => admin[Symbol.dispose]())
  const namespace = `kre-pods-${randomBytes(4).toString('hex')}`
  // They go after the pods that use them.
  cleanup.use(await makeVolumes(admin, namespace, options.engines + options.natsServers))
  cleanup.defer(async () => removeNamespace(admin, namespace))
  await make(admin, `/api/v1/namespaces/${namespace}`, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  })
  for (const object of databaseObjects(namespace, images.ferretdb) as Manifest[])
    await make(admin, pathOf(object.kind, namespace, object.metadata.name), object)

  const home = await mkdtemp(join(tmpdir(), 'kre-pods-'))
  cleanup.defer(async () => rm(home, { recursive: true, force: true }))
  const values = join(home, 'values.yaml')
  await writeFile(values, JSON.stringify(chartValues(namespace, images, options)))
  const helm = async (...args: string[]) =>
    runHelm([...args, '--namespace', namespace], process.env['KRE_TEST_CLUSTER'])
  const wait = ['--wait', '--timeout', `${READY_S}s`]
  const more = (options.values ?? []).flatMap((one) => ['--set', one])
  await helm('upgrade', '--install', RELEASE, CHART, '--values', values, ...more, ...wait)

  const addressOf = async (service: string) => {
    const found = (await ask(admin, 'GET', pathOf('Service', namespace, service))) as {
      spec: { clusterIP: string; ports: { port: number }[] }
    }
    return `${found.spec.clusterIP}:${found.spec.ports[0]?.port}`
  }
  const [host = '', port] = (await addressOf(`${RELEASE}-engine`)).split(':')
  const tunnel = cleanup.use(await openTunnel(host, Number(port)))
  const keys = (await ask(admin, 'GET', pathOf('Secret', namespace, `${RELEASE}-keys`))) as Manifest
  const token = Buffer.from(keys.data?.['token'] ?? '', 'base64').toString()
  const held = cleanup.move()
  return {
    admin,
    namespace,
    helm,
    addressOf,
    krectl: krectlAt(`http://127.0.0.1:${tunnel.port}`, token),
    [Symbol.asyncDispose]: async () => held[Symbol.asyncDispose](),
  }
}

/** Requests are small: what they are for is a node with all of it and two processors. */
function chartValues(
  namespace: string,
  images: NodeImages,
  { engines, natsServers, environment = {} }: InstallOptions,
): object {
  const small = (memory: string) => ({
    requests: { cpu: '20m', memory: '64Mi' },
    limits: { memory },
  })
  const storage = { class: namespace, size: '1Gi' }
  const pullPolicy = 'Never'
  const { typescript, python, onnx, entrypoint } = images
  return {
    config: {
      admin: { frontendBaseURL: 'http://localhost' },
      mongodb: { connectionString: { secretName: DATABASE_SECRET } },
    },
    engine: {
      replicas: engines,
      image: { ...images.engine, pullPolicy },
      resources: small('1Gi'),
      storage,
      extraEnv: Object.entries(environment).map(([name, value]) => ({ name, value })),
    },
    nats: {
      replicas: natsServers,
      image: { ...images.nats, pullPolicy },
      resources: small('1Gi'),
      storage,
      // The chart keeps servers on different machines, and there is one.
      affinity: { nodeAffinity: {} },
    },
    versions: {
      images: { typescript, python, onnx, entrypoint },
      resources: { cpuRequestMillis: 10, memoryBytes: 256 * 1024 * 1024, storageBytes: 2 ** 30 },
      drainMs: 10_000,
    },
  }
}

/** Folders of the node, one for each pod that asks for one. */
async function makeVolumes(
  admin: Cluster,
  namespace: string,
  count: number,
): Promise<AsyncDisposable> {
  const names = Array.from({ length: count }, (_, index) => `${namespace}-${index}`)
  const pathIn = (name: string) => join(NODE_DIR, 'volumes', name)
  for (const name of names) {
    await mkdir(pathIn(name), { recursive: true })
    await make(admin, `/api/v1/persistentvolumes/${name}`, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: namespace,
        persistentVolumeReclaimPolicy: 'Retain',
        local: { path: pathIn(name) },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'Exists' }] },
            ],
          },
        },
      },
    })
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const name of names) {
        await ask(admin, 'DELETE', `/api/v1/persistentvolumes/${name}`)
        await rm(pathIn(name), { recursive: true, force: true })
      }
    },
  }
}

/** With all that is in it; returns when nothing of it runs any more. */
async function removeNamespace(admin: Cluster, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}`
  await ask(admin, 'DELETE', path)
  const signal = new AbortController().signal
  await waitUntil(
    `the namespace ${namespace} is gone`,
    async () => (await admin.request({ method: 'GET', path, signal })).status === 404,
    { timeoutMs: 180_000, everyMs: 500 },
  )
}
