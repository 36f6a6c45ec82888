/** Servers as the Helm chart's pods run them, each at a loopback address of its own; on Linux alone there are several. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { connectNats, findNatsServer } from '@kre/service-kit'
import type { NatsTls } from '@kre/contracts'
import type { NatsConnection } from '@nats-io/transport-node'
import { clusterConfig } from '../cluster/cluster-config.ts'
import { createServerKeys, engineAccess, type ServerKeys } from '../server/server-keys.ts'

export type TestCluster = AsyncDisposable & {
  readonly keys: ServerKeys
  readonly hosts: readonly string[]
  /** `host:port` of each. */
  readonly servers: readonly string[]
  start(host: string): Promise<void>
  /** SIGKILL. */
  stop(host: string): Promise<void>
  /** A connection of the engine, or of the system account. */
  connect(tls?: NatsTls, account?: 'engine' | 'system'): Promise<NatsConnection>
  monitor(host: string, path: string): Promise<unknown>
}

const ports = { client: 24_222, routes: 26_222, monitor: 28_222 }
const CACHE_DIR = resolve(import.meta.dirname, '../../../.kre/cache')

/**
 * Starts none of them yet.
 *
 * @param net tells clusters of one process apart: 1 to 250.
 * @param tlsDir as `clusterConfig` has it.
 */
export async function makeCluster(
  size: number,
  net: number,
  { keys = createServerKeys(), tlsDir }: { keys?: ServerKeys; tlsDir?: string } = {},
): Promise<TestCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'kre-cluster-'))
  const hosts = Array.from(
    { length: size },
    (_, last) => `127.${net}.${process.pid % 250}.${last + 11}`,
  )
  const servers = hosts.map((host) => `${host}:${ports.client}`)
  const running = new Map<string, ChildProcess>()
  const stop = async (host: string) => {
    const server = running.get(host)
    running.delete(host)
    if (server === undefined || server.exitCode !== null) return
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  return {
    keys,
    hosts,
    servers,
    stop,
    async start(host) {
      const home = join(dir, host)
      await mkdir(join(home, 'accounts'), { recursive: true })
      const config = clusterConfig({
        name: host,
        cluster: 'test',
        peers: hosts,
        password: 'p"a/s s',
        keys,
        host,
        ports,
        storeDir: join(home, 'store'),
        accountsDir: join(home, 'accounts'),
        ...(tlsDir === undefined ? {} : { tlsDir }),
      })
      await writeFile(join(home, 'nats.conf'), config)
      const binary = await findNatsServer({ cacheDir: CACHE_DIR, path: process.env['PATH'] ?? '' })
      const args = ['--config', join(home, 'nats.conf'), '--log', join(home, 'nats.log')]
      running.set(host, spawn(binary, args, { stdio: 'ignore' }))
    },
    async connect(tls, account = 'engine') {
      const access = engineAccess(keys, account, servers)
      return connectNats(tls === undefined ? access : { ...access, tls }, 'test')
    },
    async monitor(host, path) {
      return (await fetch(`http://${host}:${ports.monitor}/${path}`)).json()
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.keys()].map(stop))
      await rm(dir, { recursive: true, force: true })
    },
  }
}
