import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsManager, NatsVersion } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import type { NatsConnection } from '@nats-io/transport-node'
import { createNatsManager } from './nats-manager.ts'
import { rememberComplete } from './remember-complete.ts'

let nats: TestNats
let engine: NatsConnection
let asked: string[]
/** Versions that were not to be looked at, of each pass that looked. */
let sounds: string[]
let manager: NatsManager & Disposable
let nowMs = 0
/** Happens at the end of a pass that looks. */
let meanwhile = async () => {}

beforeAll(async () => {
  nats = await startNats()
  const connection = await nats.connect()
  const inner = await createNatsManager(connection)
  asked = []
  sounds = []
  const noting: NatsManager = {
    ...inner,
    async converge(runtimeId, versions, sound) {
      asked.push(`converge ${runtimeId}`)
      sounds.push([...(sound ?? [])].join())
      const changes = await inner.converge(runtimeId, versions, sound)
      await meanwhile()
      return changes
    },
    async readRouting(runtimeId) {
      asked.push(`read ${runtimeId}`)
      return inner.readRouting(runtimeId)
    },
  }
  manager = rememberComplete(noting, connection, () => nowMs)
  engine = connection
})
afterAll(async () => {
  manager?.[Symbol.dispose]()
  await nats[Symbol.asyncDispose]()
})

const version = (name: string, wanted = true): NatsVersion => ({
  version: name,
  versionId: name,
  bundleDigest: 'd',
  facts: sampleFacts(),
  wanted,
})

/** What one more pass asks for. */
async function pass(runtimeId: string, ...versions: NatsVersion[]): Promise<string[]> {
  asked.length = 0
  await manager.converge(runtimeId, versions)
  await manager.readRouting(runtimeId)
  return [...asked]
}
const untilQuiet = async (runtimeId: string, ...versions: NatsVersion[]) =>
  waitUntil('nothing is asked', async () => (await pass(runtimeId, ...versions)).length === 0)

describe('a manager that remembers what is complete', () => {
  test('asks for nothing in a pass without a change', async () => {
    await untilQuiet('demo', version('v1'))
    await untilQuiet('other', version('v1'))
    expect(await pass('demo', version('v1'))).toEqual([])
  })

  test('asks again when other versions are wanted, for their runtime alone', async () => {
    await untilQuiet('demo', version('v1'))
    expect(await pass('demo', version('v1'), version('v2'))).toContain('converge demo')
    expect(await pass('other', version('v1'))).toEqual([])
    await untilQuiet('demo', version('v1'))
  })

  test('looks at the version that is new alone, until a stream is touched or all is due', async () => {
    await untilQuiet('many', version('v1'), version('v2'))
    sounds.length = 0
    await pass('many', version('v1'), version('v2'), version('v3'))
    expect(sounds[0]).toBe('v1,v2')
    await untilQuiet('many', version('v1'), version('v2'), version('v3'))
    // What the pass itself wrote makes the next one look, and not at streams.
    expect(sounds.filter((sound) => !sound.includes('v1,v2'))).toEqual([])
    sounds.length = 0
    await pass('many', version('v1'), version('v2', false), version('v3'))
    expect(sounds[0]).toBe('v1,v3')
    await untilQuiet('many', version('v1'), version('v2', false), version('v3'))
    const admin = await jetstreamManager(await nats.connect())
    await admin.streams.delete('CLAIMS_many_v1')
    await waitUntil('it looks at all', async () => {
      sounds.length = 0
      await pass('many', version('v1'), version('v2', false), version('v3'))
      return sounds[0] === ''
    })
    expect((await admin.streams.info('CLAIMS_many_v1')).config.name).toBe('CLAIMS_many_v1')
    await untilQuiet('many', version('v1'))
    nowMs += 7 * 60_000
    sounds.length = 0
    await pass('many', version('v1'), version('v3'))
    expect(sounds[0]).toBe('')
  })

  test('makes anew what somebody has deleted', async () => {
    await untilQuiet('demo', version('v1'))
    const admin = await jetstreamManager(await nats.connect())
    for (const remove of [
      async () => admin.streams.delete('KV_KV_demo'),
      async () => admin.consumers.delete('OUT_demo_v1', 'mongo-writer'),
      async () =>
        new Kvm(await nats.connect()).open('RT_demo').then((kv) => kv.delete('interface.v1')),
    ]) {
      await remove()
      await waitUntil('it looks again', async () =>
        (await pass('demo', version('v1'))).includes('converge demo'),
      )
      await untilQuiet('demo', version('v1'))
    }
    expect((await admin.streams.info('KV_KV_demo')).config.name).toBe('KV_KV_demo')
    expect((await admin.consumers.info('OUT_demo_v1', 'mongo-writer')).name).toBe('mongo-writer')
  })

  test('makes anew what somebody has deleted while it looked', async () => {
    await untilQuiet('during', version('v1'))
    const admin = await jetstreamManager(await nats.connect())
    meanwhile = async () => {
      meanwhile = async () => {}
      await admin.streams.delete('KV_KV_during')
      // The server tells in order.
      await engine.flush()
    }
    await pass('during', version('v1'), version('v2'))
    await waitUntil('it is there again', async () => {
      await pass('during', version('v1'), version('v2'))
      return admin.streams.info('KV_KV_during').catch(() => null)
    })
  })

  test('knows the table that is in force, whoever has written it', async () => {
    await untilQuiet('demo', version('v1'))
    await manager.writeRouting('demo', { generation: 1, published: 'v1' })
    expect(await manager.readRouting('demo')).toMatchObject({ published: 'v1' })
    const others = await createNatsManager(await nats.connect())
    await others.writeRouting('demo', { generation: 2, published: null })
    await waitUntil('it is read', async () => (await manager.readRouting('demo'))?.generation === 2)
  })

  test('looks at everything again from time to time, and after the server was away', async () => {
    await untilQuiet('demo', version('v1'))
    nowMs += 7 * 60_000
    expect(await pass('demo', version('v1'))).toEqual(['converge demo', 'read demo'])
    await untilQuiet('demo', version('v1'))
    await nats.restart()
    await waitUntil('it looks again', async () =>
      (await pass('demo', version('v1'))).includes('converge demo'),
    )
  })

  test('never takes a pass that failed for a complete one', async () => {
    const refusing: NatsManager = {
      ...manager,
      converge: async () => Promise.reject(new Error('no room')),
    }
    using broken = rememberComplete(refusing, await nats.connect())
    for (let tries = 0; tries < 2; tries++)
      await expect(broken.converge('demo', [version('v1')])).rejects.toThrow('no room')
  })
})
