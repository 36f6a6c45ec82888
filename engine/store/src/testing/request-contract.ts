import { describe, expect, test } from '@jest/globals'
import {
  REQUEST_STEPS_MAX,
  REQUESTS_KEPT_MAX,
  type KeptRequest,
  type RequestQuery,
  type RequestStep,
} from '../ports/request-store.ts'
import { sampleRuntime } from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const BEGIN = Date.parse('2026-01-01T10:00:00.000Z')
const ALL = { runtimeId: 'demo', version: 'v1', limit: 5_000 }

type Request = Omit<KeptRequest, 'steps'>
const request = (id: string, changes: Partial<Request> = {}): Request => ({
  id,
  runtimeId: 'demo',
  version: 'v1',
  workflow: 'wf',
  kept: 'sample',
  startedAt: new Date(BEGIN),
  elapsedMs: 12.5,
  handlerMs: 10,
  status: 'OK',
  message: '',
  attempts: 1,
  requestBytes: 100,
  ...changes,
})
const step = (id: string, arrivedMs = 0): RequestStep => ({
  id,
  workflow: 'wf',
  node: 'a',
  fromNode: 'entrypoint',
  attempt: 1,
  arrivedAt: new Date(BEGIN + arrivedMs),
  transportMs: null,
  queueMs: 0.5,
  handlerMs: 10,
  ok: true,
  bytes: 7,
})

export function requestContract(makeStore: MakeStore): void {
  describe('kept requests', () => {
    test('come back with their steps in the order of arrival, each once', async () => {
      await using store = await makeStore()
      const first = request('r1', { kept: 'failed', status: 'INTERNAL', message: 'no "luck" \0' })
      await store.requests.keep([first])
      await store.requests.keep([{ ...first, elapsedMs: 99 }])
      const add = (...steps: RequestStep[]) =>
        store.requests.addSteps(
          'demo',
          'v1',
          steps.map((one) => ({ requestId: 'r1', step: one })),
        )
      await add(step('2', 20), step('1', 10))
      await add(step('1', 10), step('3', 15))
      expect(await store.requests.find('demo', 'r1')).toEqual({
        ...first,
        steps: [step('1', 10), step('3', 15), step('2', 20)],
      })
      expect(await store.requests.list(ALL)).toEqual([first])
      expect(await store.requests.find('other', 'r1')).toBeNull()
      expect(await store.requests.find('demo', 'r2')).toBeNull()
    })

    test('take no steps that are not theirs, and a bounded number', async () => {
      await using store = await makeStore()
      await store.requests.keep([request('r1')])
      const steps = Array.from({ length: REQUEST_STEPS_MAX + 5 }, (_, i) => step(`${i}`, i))
      const addTo = (version: string, requestId: string) =>
        store.requests.addSteps(
          'demo',
          version,
          steps.map((one) => ({ requestId, step: one })),
        )
      await addTo('v2', 'r1')
      await addTo('v1', 'unknown')
      expect((await store.requests.find('demo', 'r1'))?.steps).toEqual([])
      expect(await store.requests.find('demo', 'unknown')).toBeNull()
      await addTo('v1', 'r1')
      expect((await store.requests.find('demo', 'r1'))?.steps).toEqual(
        steps.slice(0, REQUEST_STEPS_MAX),
      )
    })

    const cases: [string, Partial<RequestQuery>, string[]][] = [
      ['version', {}, ['c', 'b', 'a']],
      ['workflow', { workflow: 'other' }, ['b']],
      ['status', { statuses: ['OK', 'ABORTED'] }, ['c', 'a']],
      ['reason', { kept: ['slow', 'failed'] }, ['c', 'b']],
      ['time', { elapsedMsMin: 12.6 }, ['c']],
      ['begin, both ends included', { from: new Date(BEGIN + 1), to: new Date(BEGIN + 1) }, ['b']],
      ['limit', { limit: 2 }, ['c', 'b']],
      ['an empty list, which nothing is in', { statuses: [] }, []],
      ['a piece of SQL', { workflow: `' OR 1=1 --` }, []],
    ]
    test.each(cases)('are listed newest first, by %s', async (_, filter, expected) => {
      await using store = await makeStore()
      await store.requests.keep([
        request('b', {
          startedAt: new Date(BEGIN + 1),
          workflow: 'other',
          kept: 'failed',
          status: 'INTERNAL',
        }),
        request('a'),
        request('c', { startedAt: new Date(BEGIN + 2), kept: 'slow', elapsedMs: 13 }),
        request('d', { version: 'v2' }),
        request('e', { runtimeId: 'other' }),
      ])
      const found = await store.requests.list({ ...ALL, ...filter })
      expect(found.map(({ id }) => id)).toEqual(expected)
    })

    test('are a ring per version and reason: failed ones do not push slow ones out', async () => {
      await using store = await makeStore()
      const many = REQUESTS_KEPT_MAX.sample + 5
      await store.requests.keep([request('slow', { kept: 'slow', startedAt: new Date(0) })])
      await store.requests.keep(
        Array.from({ length: many }, (_, i) => request(`${i}`, { startedAt: new Date(BEGIN + i) })),
      )
      const kept = await store.requests.list({ ...ALL, kept: ['sample'] })
      expect(kept).toHaveLength(REQUESTS_KEPT_MAX.sample)
      expect(kept.at(-1)?.id).toBe('5')
      expect(await store.requests.find('demo', 'slow')).not.toBeNull()
    })

    test('go by their age, and with their runtime', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      await store.requests.keep([request('old', { startedAt: new Date(1) }), request('new')])
      expect(await store.requests.expire(new Date(2))).toBe(1)
      expect(await store.requests.expire(new Date(2))).toBe(0)
      await store.runtimes.remove('demo')
      expect(await store.requests.find('demo', 'new')).toBeNull()
    })
  })
}
