/**
 * Engines and NATS as processes of this computer, with what the chart gives their pods: variables, settings, keys made
 * of random bytes, and an account with the chart's Role. Paths and addresses alone are other ones.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { jetstreamManager } from '@nats-io/jetstream'
import { connectNats, findNatsServer } from '@kre/service-kit'
import { makeAuthority, type TestAuthority } from '@kre/service-kit/testing'
import { createCredentials } from '../../../nats-manager/src/accounts/create-credentials.ts'
import { clusterConfig } from '../../../nats-manager/src/cluster/cluster-config.ts'
import { readSeeds } from '../../../nats-manager/src/cluster/read-seeds.ts'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { ask, make } from '../../cluster/support/test-cluster.ts'
import { startTestEngine, type TestEngine } from '../../support/ledger-engine.ts'
import { type Manifest, render } from './helm.ts'
import { pathOf } from './make-home.ts'
import { podsOf } from './pods-of.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

export type ChartEngines = AsyncDisposable & {
  /** The pod of that number in the StatefulSet. */
  start(number: number): Promise<TestEngine>
  /** Ends one of the three servers of NATS for good. */
  killNats(number: number): Promise<void>
  /** How many copies streams and buckets have; one number when all have as many. */
  copiesOfStreams(): Promise<number[]>
}

export async function startChartEngines(
  admin: Cluster,
  namespace: string,
  mongodb: { KRE_MONGODB_URI: string; KRE_MONGODB_PREFIX: string },
): Promise<ChartEngines> {
  const dir = await mkdtemp(join(tmpdir(), 'kre-chart-'))
  const own = ['--set', 'engine.listen=127.0.0.1,nats.tls.enabled=true,nats.tls.secretName=own']
  const objects = await render('minimal', namespace, own)
  for (const object of objects.filter(({ kind }) => /^(?:ServiceAccount|Role)/.test(kind)))
    await make(admin, pathOf(object.kind, namespace, object.metadata.name), object)
  await writeSecret(objects, 'kre-keys', join(dir, 'run/kre/keys'))
  await writeSecret(objects, 'kre-nats-keys', join(dir, 'run/kre/seeds'))
  const settings = objects.find(({ data }) => data?.['kubernetes.json'] !== undefined)
  await write(join(dir, 'etc/kre/kubernetes.json'), settings?.data?.['kubernetes.json'] ?? '')
  await write(join(dir, 'kubeconfig'), await kubeconfigOf(admin, namespace))
  await mkdir(join(dir, 'run/kre/nats'), { recursive: true })
  const program = join(ROOT, 'nats-manager/src/cluster/main.ts')
  await promisify(execFile)(
    process.execPath,
    [program, 'keys', join(dir, 'run/kre/nats/keys.json')],
    { env: { KRE_NATS_SEEDS: join(dir, 'run/kre/seeds') } },
  )
  const authority = makeAuthority()
  await write(join(dir, 'run/kre/nats-tls/ca/ca.crt'), authority.ca)
  const nats = await startNats(dir, authority)
  const engines: TestEngine[] = []
  return {
    async start(number) {
      const name = `kre-engine-${number}`
      const dataDir = join(dir, name)
      // Where the test's client looks for it.
      await write(join(dataDir, 'token'), await readFile(join(dir, 'run/kre/keys/token'), 'utf8'))
      const environment = {
        ...environmentOf(objects, dir),
        ...mongodb,
        KRE_ENGINE_NAME: name,
        KRE_NATS_URL: nats.url,
        KRE_KUBECONFIG: join(dir, 'kubeconfig'),
        KRE_ADMIN_PORT: '0',
        KRE_DATA: dataDir,
      }
      const engine = await startTestEngine(environment, dataDir)
      engines.push(engine)
      return engine
    },
    killNats: (number) => nats.kill(number),
    copiesOfStreams: () => copiesOfStreams(dir, nats.url, authority.ca),
    async [Symbol.asyncDispose]() {
      await Promise.all(engines.map(async (engine) => engine.kill()))
      await nats.end()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** As a pod gets it, with files below `dir`. */
function environmentOf(objects: readonly Manifest[], dir: string): Record<string, string> {
  const engine = podsOf(objects).find(({ name }) => name === 'kre-engine')
  const env = engine?.spec.containers[0]?.env ?? []
  return Object.fromEntries(
    env.flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value.replace(/^(?=\/(?:etc|run)\/kre\/)/, dir)]],
    ),
  )
}

async function writeSecret(
  objects: readonly Manifest[],
  name: string,
  folder: string,
): Promise<void> {
  const secret = objects.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === name)
  for (const [key, value] of Object.entries(secret?.data ?? {}))
    await write(join(folder, key), Buffer.from(value, 'base64').toString())
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text, { mode: 0o600 })
}

type NatsCluster = {
  /** As `KRE_NATS_URL` has it. */
  url: string
  kill(number: number): Promise<void>
  end(): Promise<void>
}

/** Three servers, each at a loopback address of its own. */
async function startNats(dir: string, authority: TestAuthority): Promise<NatsCluster> {
  const hosts = [1, 2, 3].map((last) => `127.78.${process.pid % 250}.${last}`)
  const ports = { client: 24_322, routes: 26_322, monitor: 28_322 }
  const seeds = join(dir, 'run/kre/seeds')
  const password = (await readFile(join(seeds, 'routes'), 'utf8')).trim()
  const keys = await readSeeds(seeds)
  const binary = await findNatsServer({
    cacheDir: join(ROOT, '.kre/cache'),
    path: process.env['PATH'] ?? '',
  })
  const { cert, key } = authority.issue('kre-nats', { names: hosts })
  const tlsDir = join(dir, 'run/kre/tls')
  const files = { 'ca.crt': authority.ca, 'tls.crt': cert, 'tls.key': key }
  for (const [name, text] of Object.entries(files)) await write(join(tlsDir, name), text)
  const servers: ChildProcess[] = []
  for (const [number, host] of hosts.entries()) {
    const home = join(dir, `kre-nats-${number}`)
    const own = { name: `kre-nats-${number}`, host, storeDir: join(home, 'store') }
    const shared = { cluster: 'kre', peers: hosts, password, keys, ports, tlsDir }
    const config = clusterConfig({ ...own, ...shared, accountsDir: join(home, 'accounts') })
    await write(join(home, 'nats.conf'), config)
    servers.push(spawn(binary, ['--config', join(home, 'nats.conf')], { stdio: 'ignore' }))
  }
  return {
    url: hosts.map((host) => `tls://${host}:${ports.client}`).join(','),
    async kill(number) {
      const server = servers[number]
      if (server !== undefined) await end(server)
    },
    async end() {
      await Promise.all(servers.map(end))
    },
  }
}

/** How many copies each stream has, once. */
async function copiesOfStreams(dir: string, url: string, ca: string): Promise<number[]> {
  const keys = await readSeeds(join(dir, 'run/kre/seeds'))
  const credentials = createCredentials(keys.engine, 'test', { pub: {}, sub: {} }, null)
  const nats = await connectNats(
    { servers: url.split(','), user: '', password: '', credentials, tls: { ca } },
    'test',
  )
  try {
    const manager = await jetstreamManager(nats, { checkAPI: false })
    const copies = new Set<number>()
    for await (const { config } of manager.streams.list()) copies.add(config.num_replicas)
    return [...copies]
  } finally {
    await nats.close()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** The admin's, with the token of the engine's account in place of the certificate. */
async function kubeconfigOf(admin: Cluster, namespace: string): Promise<string> {
  const path = `${pathOf('ServiceAccount', namespace, 'kre-engine')}/token`
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const { status } = (await ask(admin, 'POST', path, request, 'application/json')) as {
    status: { token: string }
  }
  const own = await readFile(process.env['KRE_TEST_CLUSTER'] ?? '', 'utf8')
  return own.replace(/^users: .*$/m, `users: [{name: test, user: {token: "${status.token}"}}]`)
}
