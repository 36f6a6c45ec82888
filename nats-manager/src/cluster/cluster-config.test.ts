/** A cluster of three real servers, each at a loopback address of its own, out of what a Helm template can make. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { jetstreamManager } from '@nats-io/jetstream'
import { waitUntil } from '@kre/service-kit'
import type { ServerKeys } from '../server/server-keys.ts'
import { makeCluster } from '../testing/start-cluster.ts'
import { readSeeds } from './read-seeds.ts'

/** Loopback has 16 million addresses on Linux and one elsewhere. */
const isLinux = process.platform === 'linux'

let dir: string
let keys: ServerKeys
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-cluster-'))
  for (const name of ['operator', 'system', 'engine'])
    await writeFile(join(dir, name), `${randomBytes(32).toString('base64')}\n`)
  keys = await readSeeds(dir)
})
afterAll(async () => rm(dir, { recursive: true, force: true }))

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
    await using cluster = await makeCluster(3, 77, { keys })
    await Promise.all(cluster.hosts.map((host) => cluster.start(host)))
    const engine = await cluster.connect()
    try {
      const stream = { name: 'KEPT', subjects: ['kept'], num_replicas: 3 }
      const manager = await waitUntil('JetStream', async () => {
        const found = await jetstreamManager(engine, { checkAPI: false })
        return (await found.streams.add(stream).catch(() => null)) === null ? null : found
      })
      await engine.request('kept', 'a message')
      const leader = (await manager.streams.info('KEPT')).cluster?.leader ?? ''
      expect(cluster.hosts).toContain(leader)
      await cluster.stop(leader)
      const after = await waitUntil('another leader', async () => {
        const info = await manager.streams.info('KEPT').catch(() => null)
        return info?.cluster?.leader === leader ? null : info
      })
      expect(after.state.messages).toBe(1)
      await waitUntil('a confirmation', async () =>
        engine.request('kept', 'another').catch(() => null),
      )
      expect((await manager.streams.info('KEPT')).state.messages).toBeGreaterThan(1)
    } finally {
      await engine.close()
    }
  })
})
