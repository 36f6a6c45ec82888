import { describe, expect, test } from '@jest/globals'
import type { LogRecord } from '@kre/contracts'
import type { LogQuery, Store } from '../ports/store.ts'
import { sampleLog } from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const ALL = { runtimeId: 'demo', limit: 100, order: 'oldest-first' } as const

export function logContract(makeStore: MakeStore): void {
  describe('log search', () => {
    const logs = [
      sampleLog('0', { message: 'Starting UP', level: 'DEBUG', requestId: null }),
      sampleLog('1', { message: 'ÄRGER in 100% of _cases_', level: 'ERROR', node: 'b' }),
      sampleLog('2', { version: 'v2', workflow: 'other', requestId: 'r2' }),
      sampleLog('3', { node: null, workflow: null, date: '2026-01-02T00:00:00.000Z' }),
      sampleLog('4', { runtimeId: 'other' }),
    ]
    const cases: [string, Partial<LogQuery>, string[]][] = [
      ['runtime', {}, ['0', '1', '2', '3']],
      ['version', { versions: ['v2', 'v3'] }, ['2']],
      ['workflow', { workflows: ['other'] }, ['2']],
      ['node', { nodes: ['b'] }, ['1']],
      ['levels', { levels: ['ERROR', 'DEBUG'] }, ['0', '1']],
      ['request', { requestId: 'r2' }, ['2']],
      ['text in any case', { search: 'ärger IN' }, ['1']],
      ['text with the wildcards of SQL', { search: '0% of _' }, ['1']],
      ['text that means nothing to a database', { search: `'"; DROP TABLE logs` }, []],
      ['no text', { search: '' }, ['0', '1', '2', '3']],
      ['an empty list, which nothing is in', { versions: [] }, []],
      ['dates, both inclusive', date('2026-01-01T10:00:00.000Z'), ['0', '1', '2']],
      ['several at once', { levels: ['ERROR'], nodes: ['b'], search: 'cases' }, ['1']],
    ]
    test.each(cases)('filters by %s', async (_, filter, expected) => {
      await using store = await makeStore()
      await store.outputs.write(logs)
      const page = await store.outputs.logs({ ...ALL, ...filter })
      expect(page.items.map((log) => log.id)).toEqual(expected)
      expect(page.cursor).toBeNull()
    })

    test.each(['newest-first', 'oldest-first'] as const)(
      'reads every log once, page by page, %s, while logs are added',
      async (order) => {
        await using store = await makeStore()
        const written = Array.from({ length: 25 }, (_, i) =>
          sampleLog(`${i}`, { date: new Date(1_000 * Math.floor(i / 4)).toISOString() }),
        )
        await store.outputs.write(written)
        const seen = await readPages(store, { ...ALL, order, limit: 4 }, async (n) => {
          // Behind the reader, in whichever direction it goes.
          const date = new Date(order === 'newest-first' ? 999_000 : -999_000).toISOString()
          await store.outputs.write([sampleLog(`late-${n}`, { date })])
        })
        const ids = written.map((log) => log.id)
        expect(seen.map((log) => log.id)).toEqual(order === 'newest-first' ? ids.toReversed() : ids)
      },
    )

    test('finds the few among the many, from either end', async () => {
      await using store = await makeStore()
      const written = Array.from({ length: 12_000 }, (_, i) =>
        sampleLog(`${i}`, {
          date: new Date(i).toISOString(),
          ...(i % 1_500 === 0 ? { message: `Needle ${i}` } : {}),
        }),
      )
      await store.outputs.write(written)
      const find = async (order: LogQuery['order']) => {
        const seen = await readPages(store, { ...ALL, order, search: 'needle', limit: 3 })
        return seen.map((log) => log.id)
      }
      const expected = written.filter((_, i) => i % 1_500 === 0).map((log) => log.id)
      expect(await find('oldest-first')).toEqual(expected)
      expect(await find('newest-first')).toEqual(expected.toReversed())
    })

    test.each([
      ['a foreign cursor', { cursor: 'bm90IG1pbmU' }],
      ['a cursor of the other order', { cursor: btoa('newest-first.1.1') }],
      ['a limit of nothing', { limit: 0 }],
      ['a limit that is no number', { limit: Number.NaN }],
      ['a date that is none', { from: new Date('x') }],
    ])('refuses %s', async (_, changes) => {
      await using store = await makeStore()
      await expect(store.outputs.logs({ ...ALL, ...changes })).rejects.toMatchObject({
        code: 'invalid-argument',
      })
    })

    test('a page never holds more than a thousand logs', async () => {
      await using store = await makeStore()
      await store.outputs.write(Array.from({ length: 1_001 }, (_, i) => sampleLog(`${i}`)))
      const page = await store.outputs.logs({ ...ALL, limit: 1_000_000 })
      expect(page.items).toHaveLength(1_000)
      expect(page.cursor).not.toBeNull()
    })
  })
}

function date(only: string): Partial<LogQuery> {
  return { from: new Date(only), to: new Date(only) }
}

async function readPages(
  store: Store,
  query: LogQuery,
  between: (page: number) => Promise<void> = async () => undefined,
): Promise<LogRecord[]> {
  const seen: LogRecord[] = []
  let cursor: string | null = null
  let pages = 0
  do {
    const page = await store.outputs.logs({ ...query, ...(cursor === null ? {} : { cursor }) })
    seen.push(...page.items)
    cursor = page.cursor
    await between(pages++)
  } while (cursor !== null)
  return seen
}
