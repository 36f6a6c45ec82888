import { describe, expect, test } from '@jest/globals'
import { SET_ASIDE_MESSAGES_MAX, SET_ASIDE_PAYLOAD_BYTES_MAX } from '../ports/store.ts'
import {
  sampleDocument,
  sampleLog,
  sampleMeasurement,
  samplePrediction,
  sampleRuntime,
} from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const YEAR_2026 = [new Date('2026-01-01'), new Date('2027-01-01')] as const

export function outputContract(makeStore: MakeStore): void {
  describe('outputs', () => {
    test('of all kinds come back as they were written', async () => {
      await using store = await makeStore()
      const records = [
        sampleLog('1', { message: 'zero \0, smile 😀, lines\n\t' }),
        samplePrediction('1'),
        sampleMeasurement('1'),
        sampleDocument('1', { a: 1 }),
      ]
      expect(await store.outputs.write(records)).toEqual(
        records.map(() => ({ id: '1', stored: true })),
      )
      const { logs, predictions, measurements, documents } = await readAll()
      expect([...logs, ...predictions, ...measurements, ...documents]).toEqual(records)

      async function readAll() {
        const { outputs } = store
        return {
          logs: (await outputs.logs({ runtimeId: 'demo', limit: 9, order: 'newest-first' })).items,
          predictions: await outputs.predictions('demo', 'v1', ...YEAR_2026, 9),
          measurements: await outputs.measurements('demo', 'v1', 'elapsed', 9),
          documents: await outputs.documents('demo', 'results', 9),
        }
      }
    })

    test('written twice are stored once, and count as stored', async () => {
      await using store = await makeStore()
      const record = samplePrediction('1')
      await Promise.all([store.outputs.write([record, record]), store.outputs.write([record])])
      expect(await store.outputs.write([record])).toEqual([{ id: '1', stored: true }])
      expect(await store.outputs.predictions('demo', 'v1', ...YEAR_2026, 9)).toEqual([record])
    })

    test('of another runtime or version have ids of their own', async () => {
      await using store = await makeStore()
      await store.outputs.write([
        sampleDocument('1', { a: 1 }),
        sampleDocument('1', { a: 2 }, { version: 'v2' }),
        sampleDocument('1', { a: 3 }, { runtimeId: 'other' }),
      ])
      expect(await store.outputs.documents('demo', 'results', 9)).toHaveLength(2)
      expect(await store.outputs.documents('other', 'results', 9)).toHaveLength(1)
    })

    test('that can never be stored are refused one by one, and their neighbours stored', async () => {
      await using store = await makeStore()
      let deep: unknown = 1
      for (let i = 0; i < 50_000; i++) deep = { deep }
      const outcomes = await store.outputs.write([
        sampleLog('1'),
        sampleLog('2', { date: 'yesterday' }),
        sampleDocument('3', { deep }),
        sampleMeasurement('4', { timeNs: '9'.repeat(30) }),
        sampleDocument('5', { text: 'x'.repeat(16 * 1024 * 1024) }),
        sampleDocument('6', { a: 1 }, { collection: '' }),
        sampleLog('8', { message: 'x'.repeat(65_537) }),
        sampleLog('7', { message: 'x'.repeat(65_536) }),
      ])
      expect(outcomes.map((outcome) => outcome.stored)).toEqual([
        true,
        false,
        false,
        false,
        false,
        false,
        false,
        true,
      ])
      for (const outcome of outcomes)
        if (!outcome.stored)
          expect(outcome.reason).toMatch(/date|deeper|timeNs|bytes|collection|characters/)
    })

    test('lists are newest first and limited', async () => {
      await using store = await makeStore()
      await store.outputs.write(
        [1, 3, 2].flatMap((n) => [
          samplePrediction(`p${n}`, { date: `2026-01-0${n}T00:00:00.000000Z` }),
          sampleMeasurement(`m${n}`, { timeNs: `176726160${n}000000000` }),
        ]),
      )
      const predictions = await store.outputs.predictions('demo', 'v1', ...YEAR_2026, 2)
      expect(predictions.map((record) => record.id)).toEqual(['p3', 'p2'])
      const measurements = await store.outputs.measurements('demo', 'v1', 'elapsed', 2)
      expect(measurements.map((record) => record.id)).toEqual(['m3', 'm2'])
      const from = new Date('2026-01-02T00:00:00Z')
      expect(await store.outputs.predictions('demo', 'v1', from, from, 9)).toHaveLength(1)
    })

    test('measurements are found by name and range', async () => {
      await using store = await makeStore()
      await store.outputs.write([
        ...[1, 2, 3].map((n) => sampleMeasurement(`m${n}`, { timeNs: `${n}000000000` })),
        sampleMeasurement('b', { measurement: 'beta' }),
        sampleMeasurement('c', { measurement: 'other', version: 'v2' }),
      ])
      const { outputs } = store
      const range = { from: new Date(1_000), to: new Date(2_000) }
      const found = await outputs.measurements('demo', 'v1', 'elapsed', 9, range)
      expect(found.map((record) => record.id)).toEqual(['m2', 'm1'])
      expect(await outputs.measurementNames('demo', 'v1', 9)).toEqual(['beta', 'elapsed'])
      expect(await outputs.measurementNames('demo', 'v1', 1)).toEqual(['beta'])
      expect(await outputs.measurementNames('demo', 'v9', 9)).toEqual([])
    })

    test('logs and measurements expire by their age, predictions and documents stay', async () => {
      await using store = await makeStore()
      const old = '2020-01-01T00:00:00.000Z'
      await store.outputs.write([
        sampleLog('1', { date: old }),
        sampleLog('2'),
        sampleMeasurement('1', { timeNs: '1577836800000000000' }),
        samplePrediction('1', { date: '2020-01-01T00:00:00.000000Z' }),
        sampleDocument('1', { a: 1 }),
      ])
      expect(await store.outputs.expire(new Date('2025-01-01'))).toBe(2)
      expect(await store.outputs.expire(new Date('2025-01-01'))).toBe(0)
      const page = await store.outputs.logs({
        runtimeId: 'demo',
        limit: 9,
        order: 'newest-first',
      })
      expect(page.items.map((record) => record.id)).toEqual(['2'])
      expect(
        await store.outputs.predictions('demo', 'v1', new Date(0), new Date('2027-01-01'), 9),
      ).toHaveLength(1)
      expect(await store.outputs.documents('demo', 'results', 9)).toHaveLength(1)
    })
  })

  describe('documents', () => {
    const documents = [
      { customer: 'c-1', score: 1, tags: ['x', 'y'], place: { city: 'Rome', zip: null } },
      { customer: 'c-2', score: 1.5, active: true, list: [{ n: 1 }] },
      { customer: '1', score: '1', active: false, place: 'Rome' },
      { customer: 'c-4', 'name with space': 'é', _id: 'mine' },
    ]
    const cases: [string, Record<string, unknown>, number[]][] = [
      ['text', { customer: 'c-1' }, [0]],
      ['a number, not the text of it', { score: 1 }, [0]],
      ['a fraction', { score: 1.5 }, [1]],
      ['a boolean, not a number', { active: true }, [1]],
      ['text of a number', { score: '1' }, [2]],
      ['a field inside an object', { 'place.city': 'Rome' }, [0]],
      ['a whole object', { place: { city: 'Rome', zip: null } }, [0]],
      ['not an object of other fields', { place: { city: 'Rome' } }, []],
      ['an element of a list', { tags: 'y' }, [0]],
      ['a whole list', { tags: ['x', 'y'] }, [0]],
      ['an object in a list', { list: { n: 1 } }, [1]],
      ['null, which absent fields are too', { active: null }, [0, 3]],
      ['a null inside an object', { 'place.zip': null, customer: 'c-1' }, [0]],
      ['several fields at once', { score: 1, customer: 'c-2' }, []],
      ['names with spaces', { 'name with space': 'é' }, [3]],
      ['an own _id', { _id: 'mine' }, [3]],
      ['a given _id', { _id: 'doc-0' }, [0]],
      ['not a prototype', { 'constructor.name': 'Object' }, []],
      ['not a piece of SQL', { customer: "' OR 1=1 --" }, []],
    ]
    test.each(cases)('are found by %s', async (_, query, expected) => {
      await using store = await makeStore()
      await store.outputs.write(
        documents.map((document, i) => sampleDocument(`doc-${i}`, document)),
      )
      const found = await store.outputs.findDocuments('demo', 'results', query, 10)
      expect(found).toEqual(expected.map((i) => ({ _id: `doc-${i}`, ...documents[i] })))
      expect(await store.outputs.findDocuments('demo', 'elsewhere', query, 10)).toEqual([])
      expect(await store.outputs.findDocuments('other', 'results', query, 10)).toEqual([])
    })

    const refused: [string, unknown][] = [
      ['nothing', {}],
      ['an operator', { score: { $gt: 1 } }],
      ['an operator deep inside', { a: { b: [{ $where: 'x' }] } }],
      ['an operator as a field', { $where: 'sleep(1)' }],
      ['an operator in a path', { 'a.$b': 1 }],
      ['an empty part of a path', { 'a..b': 1 }],
      ['a quote in a name', { 'a" or "b': 1 }],
      ['a list instead of an object', [1]],
      ['no query at all', null],
      ['a value that is no JSON', { a: undefined }],
      ['too many fields', Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`f${i}`, 1]))],
    ]
    test.each(refused)('a query with %s is refused', async (_, query) => {
      await using store = await makeStore()
      await expect(
        store.outputs.findDocuments('demo', 'results', query as Record<string, unknown>, 10),
      ).rejects.toMatchObject({ code: 'invalid-argument' })
    })

    test('with dangerous field names are stored as they are and harm nobody', async () => {
      await using store = await makeStore()
      const document = JSON.parse(
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"$where":"x","a.b":1,"":0,"k":1}',
      ) as Record<string, unknown>
      await store.outputs.write([sampleDocument('1', document)])
      const found = await store.outputs.findDocuments('demo', 'results', { k: 1 }, 10)
      expect(JSON.parse(JSON.stringify(found))).toEqual([
        JSON.parse(`{"_id":"1",${JSON.stringify(document).slice(1)}`),
      ])
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    })

    test('are found beyond the first thousands, and limited', async () => {
      await using store = await makeStore()
      await store.outputs.write(
        Array.from({ length: 4_500 }, (_, i) =>
          sampleDocument(`${i}`, { n: i, even: i % 2 === 0 }),
        ),
      )
      expect(await store.outputs.findDocuments('demo', 'results', { n: 4_321 }, 10)).toHaveLength(1)
      const even = await store.outputs.findDocuments('demo', 'results', { even: true }, 2_100)
      expect(even).toHaveLength(2_100)
      expect(even.at(-1)).toEqual({ _id: '4198', n: 4_198, even: true })
    })
  })

  describe('messages set aside', () => {
    test('are listed newest first, once each, cut to a size that shows what they were', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const at = new Date('2026-01-01T00:00:00.000Z')
      const message = (id: string, payload: Uint8Array) => ({
        id,
        runtimeId: 'demo',
        subject: 'x.demo.v1.wf.o.log',
        reason: 'not JSON',
        payload,
        payloadBytes: payload.length,
        at,
      })
      const small = message('1', Uint8Array.of(0, 255, 1))
      const large = message('2', new Uint8Array(SET_ASIDE_PAYLOAD_BYTES_MAX + 1))
      await store.outputs.setAside([small, small])
      await store.outputs.setAside([small, large])
      const kept = await store.outputs.listSetAside('demo', 9)
      expect(
        kept.map(({ id, payloadBytes, payload }) => [id, payloadBytes, payload.length]),
      ).toEqual([
        ['2', SET_ASIDE_PAYLOAD_BYTES_MAX + 1, SET_ASIDE_PAYLOAD_BYTES_MAX],
        ['1', 3, 3],
      ])
      expect({ ...kept[1], payload: [...(kept[1]?.payload ?? [])] }).toEqual({
        ...small,
        payload: [0, 255, 1],
      })
      expect(await store.outputs.listSetAside('other', 9)).toEqual([])
    })

    test('are bounded in number: the newest stay', async () => {
      await using store = await makeStore()
      await store.outputs.setAside(
        Array.from({ length: SET_ASIDE_MESSAGES_MAX + 5 }, (_, i) => ({
          id: `${i}`,
          runtimeId: 'demo',
          subject: 's',
          reason: 'r',
          payload: new Uint8Array(1),
          payloadBytes: 1,
          at: new Date(0),
        })),
      )
      const kept = await store.outputs.listSetAside('demo', 5_000)
      expect(kept).toHaveLength(SET_ASIDE_MESSAGES_MAX)
      expect(kept.at(-1)?.id).toBe('5')
    })
  })
}
