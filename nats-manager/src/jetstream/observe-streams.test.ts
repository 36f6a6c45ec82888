import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { jetstreamManager, StorageType } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { outputsStream, versionOutputsFilter, type NatsVersion } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { createNatsManager } from './nats-manager.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
})

const version = (name: string): NatsVersion => ({
  version: name,
  versionId: 'id',
  bundleDigest: 'd',
  facts: sampleFacts(),
  wanted: true,
})

/** The connection, with the requests to JetStream's management that go over it. */
function counted(connection: NatsConnection, requests: string[]): NatsConnection {
  return new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (name === 'request') requests.push(String(args[0]))
        return Reflect.apply(value, target, args)
      }
    },
  })
}

test('a pass over one runtime of many asks for the streams of that one alone', async () => {
  const connection = await nats.connect()
  const admin = await jetstreamManager(connection)
  const requests: string[] = []
  const manager = await createNatsManager(counted(connection, requests))
  const steady = async () => {
    requests.length = 0
    expect(await manager.converge('demo', [version('v1')])).toEqual({ created: [], removed: [] })
    return requests.filter((subject) => /STREAM\.(?:LIST|NAMES|INFO)/.test(subject))
  }
  await manager.converge('demo', [version('v1')])
  const lists = (asked: string[]) => asked.filter((subject) => subject.endsWith('STREAM.LIST'))
  // While there are few, one answer describes all of them.
  expect(lists(await steady())).toHaveLength(1)
  for (let n = 0; n < 300; n += 1) {
    // One has a version that is called like the runtime.
    const of = { runtimeId: `other${n}`, version: n === 7 ? 'demo' : 'v1' }
    await admin.streams.add({
      name: outputsStream(of),
      subjects: [versionOutputsFilter(of)],
      storage: StorageType.Memory,
      metadata: { 'kre.dev/runtime': of.runtimeId, 'kre.dev/version': of.version },
    })
  }
  await steady()
  const asked = await steady()
  expect(lists(asked)).toEqual([])
  expect(asked.filter((subject) => subject.endsWith('STREAM.NAMES'))).toHaveLength(1)
  const described = asked.filter((subject) => subject.includes('STREAM.INFO'))
  expect(described.filter((subject) => !subject.split('_').includes('demo'))).toEqual([])
  expect(described.length).toBeLessThan(20)
  // What is removed is what belongs to it, whatever else has its name.
  expect((await manager.removeRuntime('demo')).removed).toContain('OUT_demo_v1')
  expect((await admin.streams.info('OUT_other7_demo')).config.name).toBe('OUT_other7_demo')
}, 30_000)
