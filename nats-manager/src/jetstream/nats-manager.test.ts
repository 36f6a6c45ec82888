import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsManager, NatsVersion } from '@kre/contracts'
import { sampleFacts, sampleNode } from '@kre/contracts/testing'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { createNatsManager } from './nats-manager.ts'

let nats: TestNats
let manager: NatsManager
beforeAll(async () => {
  nats = await startNats()
  manager = await createNatsManager(await nats.connect())
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
})

const version = (wanted = true): NatsVersion => ({
  version: 'v1',
  versionId: 'id',
  bundleDigest: 'd',
  facts: sampleFacts([
    sampleNode('a', 'entrypoint', { objectStore: { name: 'models', scope: 'workflow' } }),
  ]),
  wanted,
})
const streams = async () => {
  const list = await (await jetstreamManager(await nats.connect())).streams.list().next()
  return list.map((stream) => stream.config.name).toSorted()
}

describe('the NATS manager', () => {
  test('makes what a version needs, once', async () => {
    const first = await manager.converge('demo', [version()])
    expect(first.created).toHaveLength(7)
    expect(await manager.converge('demo', [version()])).toEqual({ created: [], removed: [] })
    const bucket = await new Kvm(await nats.connect()).open('RT_demo')
    expect((await bucket.get('interface.v1'))?.json()).toMatchObject({
      versionId: 'id',
      bundleDigest: 'd',
    })
  })

  test('heals a stream and a consumer that somebody deleted', async () => {
    const admin = await jetstreamManager(await nats.connect())
    await admin.streams.delete('KV_KV_demo')
    await admin.consumers.delete('OUT_demo_v1', 'mongo-writer')
    expect((await manager.converge('demo', [version()])).created.toSorted()).toEqual([
      'KV_demo',
      'OUT_demo_v1',
    ])
    expect((await admin.consumers.info('OUT_demo_v1', 'mongo-writer')).name).toBe('mongo-writer')
  })

  test('leaves nothing on the server however often it looks', async () => {
    const admin = await jetstreamManager(await nats.connect())
    const before = (await admin.streams.info('KV_RT_demo')).state
    for (let pass = 0; pass < 3; pass++) await manager.converge('demo', [version()])
    expect((await admin.streams.info('KV_RT_demo')).state).toEqual(before)
    expect(before.consumer_count).toBe(0)
  })

  test('a stop takes the interface away and keeps the stores; a delete takes those too', async () => {
    await manager.converge('demo', [version(false)])
    const bucket = await new Kvm(await nats.connect()).open('RT_demo')
    expect(await bucket.get('interface.v1')).toBeNull()
    expect(await streams()).toContain('OBJ_OBJ_demo_v1_wf_models')
    await manager.converge('demo', [])
    expect(await streams()).toEqual(['KV_KV_demo', 'KV_RT_demo'])
  })

  test('keeps what waits for the store, also when its version is gone', async () => {
    const connection = await nats.connect()
    const admin = await jetstreamManager(connection)
    await manager.converge('demo', [version()])
    await jetstream(connection).publish('x.demo.v1.wf.o.log', 'a line')
    expect((await manager.converge('demo', [])).waiting).toEqual(['OUT_demo_v1'])
    expect(await streams()).toEqual(['KV_KV_demo', 'KV_RT_demo', 'OUT_demo_v1'])
    await admin.streams.purge('OUT_demo_v1')
    expect((await manager.converge('demo', [])).removed).toEqual(['OUT_demo_v1'])
  })

  test('takes over streams that engines of before made for the whole runtime', async () => {
    const connection = await nats.connect()
    const admin = await jetstreamManager(connection)
    const metadata = { 'kre.dev/runtime': 'demo' }
    await admin.streams.add({
      name: 'OUT_demo',
      subjects: ['x.demo.*.*.o.*'],
      retention: RetentionPolicy.Workqueue,
      metadata,
    })
    await admin.streams.add({ name: 'CLAIMS_demo', subjects: ['c.demo.>'], metadata })
    await jetstream(connection).publish('x.demo.v1.wf.o.log', 'of before')
    await manager.converge('demo', [version()])
    const there = ['CLAIMS_demo_v1', 'OUT_demo', 'OUT_demo_v1']
    expect((await streams()).filter((name) => /^(?:OUT|CLAIMS)/.test(name))).toEqual(there)
    const ack = await jetstream(connection).publish('x.demo.v1.wf.o.log', 'of now')
    expect(ack.stream).toBe('OUT_demo_v1')
    expect((await admin.streams.info('OUT_demo')).state.messages).toBe(1)
    await admin.streams.purge('OUT_demo')
    await admin.streams.purge('OUT_demo_v1')
    expect((await manager.converge('demo', [])).removed).toContain('OUT_demo')
    expect(await streams()).toEqual(['KV_KV_demo', 'KV_RT_demo'])
  })

  test('writes routing forwards only', async () => {
    expect(await manager.readRouting('demo')).toBeNull()
    await manager.writeRouting('demo', { generation: 3, published: 'v1' })
    await expect(
      manager.writeRouting('demo', { generation: 2, published: null }),
    ).rejects.toMatchObject({ code: 'aborted' })
    expect(await manager.readRouting('demo')).toEqual({ generation: 3, published: 'v1' })
  })

  test('writes no routing of an engine whose lease is over', async () => {
    await manager.writeRouting('demo', { generation: 4, published: 'v1' }, 2)
    await expect(
      manager.writeRouting('demo', { generation: 5, published: null }, 1),
    ).rejects.toMatchObject({ code: 'aborted', message: expect.stringContaining('another engine') })
    expect(await manager.readRouting('demo')).toEqual({ generation: 4, published: 'v1' })
    await manager.writeRouting('demo', { generation: 4, published: 'v2' }, 3)
    expect(await manager.readRouting('demo')).toEqual({ generation: 4, published: 'v2' })
  })

  test('removing a runtime leaves nothing of it and everything of others', async () => {
    await manager.converge('other', [])
    await manager.removeRuntime('demo')
    expect(await manager.runtimes()).toEqual(['other'])
    expect(await streams()).toEqual(['KV_KV_other', 'KV_RT_other'])
  })
})
