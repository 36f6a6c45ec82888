import { describe, expect, test } from '@jest/globals'
import { DAY_MS, HISTOGRAM_BOUNDS_S, HOUR_MS, MINUTE_MS, SECOND_MS } from '@kre/contracts'
import {
  TRAFFIC_RESOLUTIONS,
  TRAFFIC_SCOPES_MAX,
  type TrafficSample,
} from '../ports/traffic-store.ts'
import { sampleRuntime } from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const BEGIN = new Date('2026-01-01T10:00:00.000Z')
const ALL = { runtimeId: 'demo', version: 'v1', from: new Date(0), to: new Date('2030-01-01') }

const at = (ms: number) => new Date(BEGIN.getTime() + ms)
const times = (bucket: number, sumS: number) => ({
  buckets: Array.from({ length: HISTOGRAM_BOUNDS_S.length + 1 }, (_, i) => (i === bucket ? 1 : 0)),
  sumS,
})
const sample = (ms: number, changes: Partial<TrafficSample> = {}): TrafficSample => ({
  workflow: 'wf',
  node: null,
  from: null,
  at: at(ms),
  calls: 2,
  errors: 1,
  times: {},
  ...changes,
})

export function trafficContract(makeStore: MakeStore): void {
  describe('traffic', () => {
    test.each(TRAFFIC_RESOLUTIONS)('adds up in steps of $stepMs ms', async ({ stepMs }) => {
      await using store = await makeStore()
      const begin = Math.floor(BEGIN.getTime() / stepMs) * stepMs
      await store.traffic.add('demo', 'v1', [
        sample(0, { at: new Date(begin), times: { duration: times(0, 0.25) } }),
        sample(0, { at: new Date(begin + stepMs - 1), times: { duration: times(3, 0.5) } }),
      ])
      await store.traffic.add('demo', 'v1', [
        sample(0, { at: new Date(begin + stepMs), times: { queue: times(1, 1) } }),
        sample(0, { at: new Date(begin), times: { queue: times(18, 40) } }),
      ])
      const sum = times(0, 0.75)
      sum.buckets[3] = 1
      expect(await store.traffic.read({ ...ALL, stepMs })).toEqual([
        sample(0, {
          at: new Date(begin),
          calls: 6,
          errors: 3,
          times: { duration: sum, queue: times(18, 40) },
        }),
        sample(0, { at: new Date(begin + stepMs), times: { queue: times(1, 1) } }),
      ])
    })

    test('keeps workflows, nodes and edges apart, and versions', async () => {
      await using store = await makeStore()
      const scopes = [
        sample(0),
        sample(0, { node: 'a' }),
        sample(0, { node: 'a', from: 'entrypoint' }),
        sample(0, { node: 'a', from: 'b' }),
        sample(0, { workflow: 'other' }),
      ]
      await store.traffic.add('demo', 'v1', scopes)
      await store.traffic.add('demo', 'v2', [sample(0)])
      await store.traffic.add('other', 'v1', [sample(0)])
      const read = await store.traffic.read({ ...ALL, stepMs: MINUTE_MS })
      expect(read).toHaveLength(5)
      expect(read).toEqual(expect.arrayContaining(scopes))
    })

    test('keeps the longest queue of each step', async () => {
      await using store = await makeStore()
      const node = { node: 'a', calls: 0, errors: 0 }
      await store.traffic.add('demo', 'v1', [sample(0, { ...node, queuedMax: 3 })])
      await store.traffic.add('demo', 'v1', [
        sample(0, { ...node, queuedMax: 7 }),
        sample(0, { ...node, calls: 2 }),
      ])
      await store.traffic.add('demo', 'v1', [
        sample(0, { ...node, queuedMax: 5 }),
        sample(MINUTE_MS, node),
      ])
      expect(await store.traffic.read({ ...ALL, stepMs: MINUTE_MS })).toEqual([
        sample(0, { ...node, calls: 2, queuedMax: 7 }),
        sample(MINUTE_MS, node),
      ])
    })

    test('is read by range, its end left out', async () => {
      await using store = await makeStore()
      await store.traffic.add('demo', 'v1', [sample(0), sample(MINUTE_MS), sample(2 * MINUTE_MS)])
      const read = async (from: number, to: number) =>
        store.traffic.read({ ...ALL, from: at(from), to: at(to), stepMs: MINUTE_MS })
      expect(await read(0, 2 * MINUTE_MS)).toHaveLength(2)
      expect(await read(1, MINUTE_MS)).toHaveLength(0)
      await expect(store.traffic.read({ ...ALL, stepMs: 7 * SECOND_MS })).rejects.toMatchObject({
        code: 'invalid-argument',
      })
    })

    test('gets coarser with age, and ends', async () => {
      await using store = await makeStore()
      await store.traffic.add('demo', 'v1', [sample(0)])
      const left = async (ageMs: number) => {
        await store.traffic.expire(at(ageMs))
        const steps: number[] = []
        for (const { stepMs } of TRAFFIC_RESOLUTIONS)
          if ((await store.traffic.read({ ...ALL, stepMs })).length > 0) steps.push(stepMs)
        return steps
      }
      const [fine, minute, quarter, coarse] = TRAFFIC_RESOLUTIONS.map(({ stepMs }) => stepMs)
      expect(await left(HOUR_MS)).toEqual([fine, minute, quarter, coarse])
      expect(await left(HOUR_MS + 1)).toEqual([minute, quarter, coarse])
      expect(await left(3 * DAY_MS)).toEqual([quarter, coarse])
      expect(await left(31 * DAY_MS)).toEqual([coarse])
      expect(await left(366 * DAY_MS)).toEqual([])
    })

    test('has a bound on what is counted, and none on how often', async () => {
      await using store = await makeStore()
      const many = Array.from({ length: TRAFFIC_SCOPES_MAX + 10 }, (_, i) =>
        sample(0, { node: `n${i}` }),
      )
      await store.traffic.add('demo', 'v1', many)
      await store.traffic.add('demo', 'v1', many.slice(0, 1))
      const read = await store.traffic.read({ ...ALL, stepMs: MINUTE_MS })
      expect(read).toHaveLength(TRAFFIC_SCOPES_MAX)
      expect(read.find(({ node }) => node === 'n0')).toMatchObject({ calls: 4 })
    })

    test('goes with its runtime', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      await store.traffic.add('demo', 'v1', [sample(0)])
      await store.traffic.add('other', 'v1', [sample(0)])
      await store.runtimes.remove('demo')
      expect(await store.traffic.read({ ...ALL, stepMs: MINUTE_MS })).toEqual([])
      const other = { ...ALL, runtimeId: 'other', stepMs: MINUTE_MS }
      expect(await store.traffic.read(other)).toHaveLength(1)
    })
  })
}
