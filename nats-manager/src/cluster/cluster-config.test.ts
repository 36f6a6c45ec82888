/** A cluster of three real servers, each at a loopback address of its own, out of what a Helm template can make. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { jetstreamManager } from '@nats-io/jetstream'
import { connectNats, findNatsServer, waitUntil } from '@kre/service-kit'
import { createCredentials } from '../accounts/create-credentials.ts'
import type { ServerKeys } from '../server/server-keys.ts'
import { clusterConfig } from './cluster-config.ts'
import { readSeeds } from './read-seeds.ts'

/** Loopback has 16 million addresses on Linux and one elsewhere. */
const isLinux = process.platform === 'linux'
const LONG = { timeoutMs: 30_000 }
const ports = { client: 24_222, routes: 26_222, monitor: 28_222 }
const hosts = [11, 12, 13].map((last) => `127.77.${process.pid % 250}.${last}`)

let dir: string
let keys: ServerKeys
const running = new Map<string, ChildProcess>()

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-cluster-'))
  for (const name of ['operator', 'system', 'engine'])
    await writeFile(join(dir, name), `${randomBytes(32).toString('base64')}\n`)
  keys = await readSeeds(dir)
})
afterAll(async () => {
  await Promise.all([...running.keys()].map(stop))
  await rm(dir, { recursive: true, force: true })
})

async function start(host: string): Promise<void> {
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
  })
  await writeFile(join(home, 'nats.conf'), config)
  const binary = await findNatsServer({
    cacheDir: resolve(import.meta.dirname, '../../../.kre/cache'),
    path: process.env['PATH'] ?? '',
  })
  running.set(host, spawn(binary, ['--config', join(home, 'nats.conf')], { stdio: 'ignore' }))
}

async function stop(host: string): Promise<void> {
  const server = running.get(host)
  running.delete(host)
  if (server === undefined || server.exitCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
}

async function connect() {
  const credentials = createCredentials(keys.engine, 'test', { pub: {}, sub: {} }, null)
  const servers = hosts.map((host) => `${host}:${ports.client}`)
  return connectNats({ servers, user: '', password: '', credentials }, 'test')
}

describe('keys of a cluster', () => {
  test('are the same from the same bytes, and seeds stay what they are', async () => {
    expect(await readSeeds(dir)).toEqual(keys)
    expect(keys.operator).toMatch(/^SO[A-Z2-7]{56}$/)
    const other = await mkdtemp(join(tmpdir(), 'kre-seeds-'))
    for (const [name, seed] of Object.entries(keys)) await writeFile(join(other, name), seed)
    expect(await readSeeds(other)).toEqual(keys)
    await rm(other, { recursive: true })
  })

  test('are refused without being shown when they are damaged or of another kind', async () => {
    const other = await mkdtemp(join(tmpdir(), 'kre-seeds-'))
    for (const [name, seed] of Object.entries({ ...keys, operator: keys.engine }))
      await writeFile(join(other, name), seed)
    const refused = await readSeeds(other).catch((error: Error) => error.message)
    expect(refused).toMatch(/operator is neither a seed of a NATS operator nor 32 bytes in base64/)
    expect(refused).not.toContain(keys.engine)
    await rm(join(other, 'system'))
    await expect(readSeeds(other)).rejects.toMatchObject({ code: 'failed-precondition' })
    await rm(other, { recursive: true })
  })
})

const describeOnLinux = isLinux ? describe : describe.skip
describeOnLinux('a cluster', () => {
  test('keeps a stream on three servers, and goes on when one of them dies', async () => {
    await Promise.all(hosts.map(start))
    const engine = await connect()
    try {
      const stream = { name: 'KEPT', subjects: ['kept'], num_replicas: 3 }
      const manager = await waitUntil(
        'JetStream',
        async () => {
          const found = await jetstreamManager(engine, { checkAPI: false })
          return (await found.streams.add(stream).catch(() => null)) === null ? null : found
        },
        LONG,
      )
      await engine.request('kept', 'a message')
      const leader = (await manager.streams.info('KEPT')).cluster?.leader ?? ''
      expect(hosts).toContain(leader)
      await stop(leader)
      const after = await waitUntil(
        'another leader',
        async () => {
          const info = await manager.streams.info('KEPT').catch(() => null)
          return info?.cluster?.leader === leader ? null : info
        },
        LONG,
      )
      expect(after.state.messages).toBe(1)
      await waitUntil(
        'a confirmation',
        async () => engine.request('kept', 'another').catch(() => null),
        LONG,
      )
      expect((await manager.streams.info('KEPT')).state.messages).toBeGreaterThan(1)
    } finally {
      await engine.close()
    }
  }, 90_000)
})
