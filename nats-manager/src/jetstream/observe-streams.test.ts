import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { jetstreamManager, StorageType } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { outputsStream, versionOutputsFilter, type NatsVersion } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { createNatsManager } from './nats-manager.ts'
import { observeStreams } from './observe-streams.ts'

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
  const described = await steady()
  expect(described.filter((subject) => !subject.includes('STREAM.INFO'))).toEqual([])
  expect(described.filter((subject) => !subject.split('_').includes('demo'))).toEqual([])
  expect(described.length).toBeLessThan(20)
  // What is removed is what belongs to it, whatever else has its name.
  expect((await manager.removeRuntime('demo')).removed).toContain('OUT_demo_v1')
  expect((await admin.streams.info('OUT_other7_demo')).config.name).toBe('OUT_other7_demo')
})

test('what another one has made is found when names are listed again, and what goes is not asked for again', async () => {
  const connection = await nats.connect()
  const admin = await jetstreamManager(connection)
  const requests: string[] = []
  let now = 0
  const observer = observeStreams(
    await jetstreamManager(counted(connection, requests), { checkAPI: false }),
    () => now,
  )
  const namesOf = async () => (await observer.of('late', [])).map(({ name }) => name)
  expect(await namesOf()).toEqual([])
  await admin.streams.add({
    name: 'OUT_late_v1',
    subjects: ['late.>'],
    storage: StorageType.Memory,
    metadata: { 'kre.dev/runtime': 'late', 'kre.dev/version': 'v1' },
  })
  expect(await namesOf()).toEqual([])
  expect((await observer.allOf('late')).map(({ name }) => name)).toEqual(['OUT_late_v1'])
  await admin.streams.delete('OUT_late_v1')
  expect(await namesOf()).toEqual([])
  requests.length = 0
  expect(await namesOf()).toEqual([])
  expect(requests).toEqual([])
  now += 3_600_000
  await namesOf()
  expect(requests).toEqual(['$JS.API.STREAM.NAMES'])
})

test('what is made while names are listed is known afterwards, and a list that failed is made again', async () => {
  const connection = await nats.connect()
  const answers: (() => void)[] = []
  let fails = true
  const slow = new Proxy(await jetstreamManager(connection), {
    get(target, name) {
      if (name !== 'streams') return Reflect.get(target, name) as unknown
      return {
        info: (stream: string) => target.streams.info(stream),
        async *names() {
          if (fails) throw new Error('no answer')
          await new Promise<void>((resolve) => answers.push(resolve))
          yield* [] as string[]
        },
      }
    },
  })
  const observer = observeStreams(slow)
  await expect(observer.of('quick', [])).rejects.toThrow('no answer')
  fails = false
  const first = observer.of('quick', [])
  observer.making('OUT_quick_v1')
  await (
    await jetstreamManager(connection)
  ).streams.add({
    name: 'OUT_quick_v1',
    subjects: ['quick.>'],
    storage: StorageType.Memory,
    metadata: { 'kre.dev/runtime': 'quick', 'kre.dev/version': 'v1' },
  })
  for (const answer of answers) answer()
  await first
  expect(await observer.of('quick', [])).toHaveLength(1)
})
