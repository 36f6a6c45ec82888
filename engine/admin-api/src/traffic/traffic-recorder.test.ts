import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger, type HeardProcess, type Increment } from '@kre/service-kit'
import type { Store, TrafficSample } from '@kre/store'
import { sampleRuntime, sampleVersion } from '@kre/store/testing'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { createKnownVersions } from './known-versions.ts'
import { createTrafficRecorder } from './traffic-recorder.ts'

const BEGIN = Date.parse('2026-01-01T10:00:00.000Z')
const LABELS = { runtime: 'demo', version: 'v1', workflow: 'wf' }
const logger = createLogger('test', { level: 'silent' })

let api: TestApi
let nowMs = BEGIN
beforeAll(async () => {
  api = await startTestApi()
  await api.store.runtimes.create(sampleRuntime())
  for (const name of ['all', 'good', 'bad', 'ugly', 'heard', 'queues'])
    await api.store.versions.create(sampleVersion(name))
})
afterAll(() => api[Symbol.asyncDispose]())
beforeEach(() => {
  nowMs = BEGIN
})

const open = (
  store: Pick<Store, 'traffic' | 'heardTotals' | 'versions'> = api.store,
  takeHeard: () => HeardProcess[] = () => [],
) =>
  createTrafficRecorder({
    store,
    knownVersions: createKnownVersions(store, () => new Date(nowMs)),
    logger,
    now: () => new Date(nowMs),
    takeHeard,
  })
const requests = (value: number, labels: Record<string, string> = {}): Increment => ({
  name: 'kre_requests_total',
  labels: { ...LABELS, status: 'OK', ...labels },
  value,
  buckets: [],
})
const read = (version: string): Promise<TrafficSample[]> =>
  api.store.traffic.read({
    runtimeId: 'demo',
    version,
    from: new Date(0),
    to: new Date('2030-01-01'),
    stepMs: 5_000,
  })

describe('createTrafficRecorder', () => {
  test('keeps how many messages waited at a node, in all its replicas', async () => {
    const recorder = open()
    const labels = { ...LABELS, version: 'queues', node: 'a' }
    const queue = (process: string, value: number) =>
      recorder.read({ process, name: 'kre_node_queued_messages', labels, value })
    queue('p1', 3)
    queue('p2', 4)
    queue('p1', 1)
    recorder.read({ process: 'p1', name: 'kre_process_resident_bytes', labels, value: 1e6 })
    nowMs += 1_000
    expect(recorder.live('demo', 'queues', 5_000)).toMatchObject([
      { workflow: 'wf', node: 'a', from: null, calls: 0, queuedMax: 7 },
    ])
    queue('p1', 0)
    queue('p2', 0)
    await recorder.flush()
    expect(await read('queues')).toMatchObject([{ node: 'a', calls: 0, queuedMax: 7 }])
  })

  test('puts what processes count where it belongs', async () => {
    const recorder = open()
    const labels = { version: 'all', node: 'a' }
    recorder.count(requests(3, labels))
    recorder.count(requests(1, { ...labels, status: 'INTERNAL' }))
    recorder.count({ ...requests(2, { ...labels, status: 'ok' }), name: 'kre_node_calls_total' })
    recorder.count({
      ...requests(1, { ...labels, status: 'error', from: 'entrypoint' }),
      name: 'kre_edge_messages_total',
    })
    const buckets = Array.from({ length: 19 }, (_, i) => (i === 2 ? 5 : 0))
    recorder.count({
      ...requests(0.5, { ...labels, from: 'b' }),
      name: 'kre_edge_transport_seconds',
      buckets,
    })
    // No traffic, or not said of what.
    recorder.count({ ...requests(9), name: 'kre_node_events_total' })
    recorder.count({ ...requests(9), name: 'kre_node_calls_total' })
    recorder.count({ ...requests(9), labels: {} })
    recorder.count({ ...requests(9), name: 'constructor' })
    await recorder.flush()
    const at = new Date(BEGIN)
    const sample = { workflow: 'wf', node: null, from: null, at, calls: 0, errors: 0, times: {} }
    const stored = await read('all')
    expect(stored).toHaveLength(4)
    expect(stored).toEqual(
      expect.arrayContaining([
        { ...sample, calls: 4, errors: 1 },
        { ...sample, node: 'a', calls: 2 },
        { ...sample, node: 'a', from: 'entrypoint', calls: 1, errors: 1 },
        { ...sample, node: 'a', from: 'b', times: { transport: { buckets, sumS: 0.5 } } },
      ]),
    )
  })

  test('shows the last complete seconds to those who watch', () => {
    const recorder = open()
    const live = () => recorder.live('demo', 'v1', 5_000).reduce((sum, { calls }) => sum + calls, 0)
    for (let second = 0; second < 20; second += 1) {
      nowMs = BEGIN + second * 1_000 + 500
      recorder.count(requests(1))
    }
    expect(live()).toBe(5)
    expect(recorder.live('demo', 'v2', 5_000)).toEqual([])
    nowMs += 3_000
    expect(live()).toBe(3)
    nowMs += 60_000
    expect(live()).toBe(0)
  })

  test('loses nothing and counts nothing twice while the store fails', async () => {
    let fails = true
    const recorder = open({
      versions: api.store.versions,
      heardTotals: api.store.heardTotals,
      traffic: {
        ...api.store.traffic,
        add: async (runtimeId, version, samples) => {
          if (fails && version === 'bad') throw new Error('down')
          await api.store.traffic.add(runtimeId, version, samples)
        },
      },
    })
    const count = () => {
      for (const version of ['good', 'bad', 'ugly']) recorder.count(requests(1, { version }))
    }
    count()
    await recorder.flush()
    count()
    await recorder.flush()
    fails = false
    await recorder.flush()
    await recorder.flush()
    for (const version of ['good', 'bad', 'ugly'])
      expect(await read(version)).toMatchObject([{ calls: 2 }])
  })

  test('says what was heard when it is stored, and not before', async () => {
    let fails = true
    const heard = { process: 'p1', heardAt: new Date(BEGIN), totals: '{}' }
    const reports = [[heard], []]
    const recorder = open(
      {
        ...api.store,
        versions: {
          ...api.store.versions,
          find: (...of) => {
            if (fails) throw new Error('down')
            return api.store.versions.find(...of)
          },
        },
      },
      () => reports.shift() ?? [],
    )
    recorder.count(requests(1, { version: 'heard' }))
    await recorder.flush()
    expect(await api.store.heardTotals.since(new Date(0))).toEqual([])
    fails = false
    await recorder.flush()
    expect(await api.store.heardTotals.since(new Date(0))).toEqual([heard])
    expect(await read('heard')).toMatchObject([{ calls: 1 }])
  })

  test('keeps no counts of a runtime, a version or a node that is not there', async () => {
    const recorder = open()
    recorder.count(requests(1, { version: 'gone' }))
    recorder.count(requests(1, { version: 'good', workflow: 'gone' }))
    const node = { version: 'good', node: 'gone', status: 'ok' }
    recorder.count({ ...requests(1, node), name: 'kre_node_calls_total' })
    recorder.count(requests(1, { runtime: 'gone' }))
    await recorder.flush()
    const gone = { runtimeId: 'gone', version: 'v1', from: new Date(0), to: new Date('2030-01-01') }
    expect(await api.store.traffic.read({ ...gone, stepMs: 5_000 })).toEqual([])
    expect(await read('gone')).toEqual([])
    expect(
      (await read('good')).every(({ workflow, node: of }) => workflow === 'wf' && of === null),
    ).toBe(true)
  })
})
