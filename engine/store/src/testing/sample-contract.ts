import { describe, expect, test } from '@jest/globals'
import { SAMPLES_PER_EDGE_MAX, type MessageSample } from '../ports/sample-store.ts'
import type { MakeStore } from './make-store.ts'
import { sampleRuntime } from './sample-records.ts'

const BEGIN = Date.parse('2026-01-01T10:00:00.000Z')
const at = (ms: number) => new Date(BEGIN + ms)

const sample = (requestId: string, changes: Partial<MessageSample> = {}): MessageSample => ({
  requestId,
  stepId: 'wf.b.1.1',
  workflow: 'wf',
  node: 'b',
  fromNode: 'a',
  at: at(0),
  input: { typeName: 'demo.Image', bytes: 70_000, data: new Uint8Array([0, 1, 255]) },
  output: { typeName: '', bytes: 0, data: new Uint8Array(0) },
  ...changes,
})
const EDGE = { workflow: 'wf', node: 'b', fromNode: 'a', limit: 100 }

export function sampleContract(makeStore: MakeStore): void {
  describe('samples of messages', () => {
    test('come back byte by byte, newest first, each once', async () => {
      await using store = await makeStore()
      const first = sample('r1', { output: null })
      await store.samples.add('demo', 'v1', [first, sample('r2')])
      await store.samples.add('demo', 'v1', [sample('r1', { at: at(9) }), sample('r/3 "%\0')])
      expect(await store.samples.list('demo', 'v1', EDGE)).toEqual([
        sample('r/3 "%\0'),
        sample('r2'),
        first,
      ])
      expect(await store.samples.list('demo', 'v1', { ...EDGE, limit: 1 })).toHaveLength(1)
      expect(await store.samples.list('demo', 'v1', { requestId: 'r1' })).toEqual([first])
    })

    test('are found by their edge, by their node, and by their request, in their version', async () => {
      await using store = await makeStore()
      await store.samples.add('demo', 'v1', [
        sample('r1'),
        sample('r1', { stepId: 'wf.b.2.1', fromNode: 'c' }),
        sample('r1', { stepId: 'wf.c.1.1', node: 'c' }),
        sample('r2', { stepId: 'other.b.1.1', workflow: 'other' }),
      ])
      const ids = async (query: Parameters<typeof store.samples.list>[2], version = 'v1') =>
        (await store.samples.list('demo', version, query)).map(({ stepId }) => stepId)
      expect(await ids(EDGE)).toEqual(['wf.b.1.1'])
      expect(await ids({ workflow: 'wf', node: 'b', limit: 9 })).toEqual(['wf.b.2.1', 'wf.b.1.1'])
      expect(await ids({ requestId: 'r1' })).toHaveLength(3)
      expect(await ids({ requestId: 'r1' }, 'v2')).toEqual([])
      expect(await store.samples.list('other', 'v1', EDGE)).toEqual([])
    })

    test('are a ring per edge', async () => {
      await using store = await makeStore()
      await store.samples.add('demo', 'v1', [sample('kept', { fromNode: 'c' })])
      const many = Array.from({ length: SAMPLES_PER_EDGE_MAX + 3 }, (_, i) => sample(`${i}`))
      await store.samples.add('demo', 'v1', many)
      const kept = await store.samples.list('demo', 'v1', EDGE)
      expect(kept.map(({ requestId }) => requestId)).toEqual(
        many
          .slice(3)
          .map(({ requestId }) => requestId)
          .toReversed(),
      )
      expect(await store.samples.list('demo', 'v1', { requestId: 'kept' })).toHaveLength(1)
    })

    test('go by age, with their version, and with their runtime', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      await store.samples.add('demo', 'v1', [sample('old', { at: at(-1) }), sample('new')])
      await store.samples.add('demo', 'v2', [sample('other')])
      expect(await store.samples.expire(at(0), at(0))).toBe(1)
      expect(await store.samples.expire(at(0), at(0))).toBe(0)
      await store.samples.remove('demo', 'v1')
      expect(await store.samples.list('demo', 'v1', EDGE)).toEqual([])
      expect(await store.samples.list('demo', 'v2', EDGE)).toHaveLength(1)
      await store.samples.setSampling('demo', 'v2', at(1_000))
      await store.runtimes.remove('demo')
      expect(await store.samples.list('demo', 'v2', EDGE)).toEqual([])
      expect(await store.samples.samplings(at(0))).toEqual([])
    })

    test('are asked for up to a moment', async () => {
      await using store = await makeStore()
      await store.samples.setSampling('demo', 'v1', at(10))
      await store.samples.setSampling('demo', 'v1', at(20))
      await store.samples.setSampling('demo', 'v2', at(5))
      expect(await store.samples.samplingUntil('demo', 'v1', at(19))).toEqual(at(20))
      expect(await store.samples.samplingUntil('demo', 'v1', at(20))).toBeNull()
      expect(await store.samples.samplingUntil('demo', 'v3', at(0))).toBeNull()
      expect(await store.samples.samplings(at(5))).toEqual([
        { runtimeId: 'demo', version: 'v1', until: at(20) },
      ])
      await store.samples.expire(at(0), at(5))
      expect(await store.samples.samplings(at(0))).toHaveLength(1)
      await store.samples.setSampling('demo', 'v1', null)
      expect(await store.samples.samplings(at(0))).toEqual([])
    })
  })
}
