import { describe, expect, test } from '@jest/globals'
import type { Store } from '../ports/store.ts'
import { sampleLog, sampleRuntime } from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const NEVER = new Date(0)
const EVERYTHING = Number.MAX_SAFE_INTEGER

export function logRetentionContract(makeStore: MakeStore): void {
  describe('log retention', () => {
    const lines = (n: number, runtimeId = 'demo') =>
      Array.from({ length: n }, (_, i) =>
        sampleLog(`${i}`.padStart(6, '0'), {
          runtimeId,
          version: `v${i % 3}`,
          date: new Date(1_000 * (i + 1)).toISOString(),
        }),
      )

    test('counts the lines and bytes of each runtime, each line once', async () => {
      await using store = await makeStore()
      await store.outputs.write(lines(3))
      await store.outputs.write(lines(3))
      await store.outputs.write(lines(1, 'other'))
      const usage = await store.logRetention.usage('demo')
      expect(usage).toEqual({ lines: 3, bytes: bytesOf(lines(3)) })
      expect(await store.logRetention.usage('nobody')).toEqual({ lines: 0, bytes: 0 })
    })

    test('keeps the newest lines that fit, of all versions together', async () => {
      await using store = await makeStore()
      const written = lines(5_000)
      await store.outputs.write(written)
      await store.outputs.write(lines(2, 'other'))
      const kept = written.slice(-10)
      const trimmed = await store.logRetention.trim('demo', {
        olderThan: NEVER,
        bytesMax: bytesOf(kept),
      })
      expect(trimmed).toEqual({
        byAge: 0,
        bySize: 4_990,
        bytes: bytesOf(written) - bytesOf(kept),
      })
      expect(await idsOf(store)).toEqual(kept.map(({ id }) => id))
      expect(await store.logRetention.usage('demo')).toEqual({ lines: 10, bytes: bytesOf(kept) })
      expect(await store.logRetention.usage('other')).toMatchObject({ lines: 2 })
    })

    test('one byte too much costs the oldest line', async () => {
      await using store = await makeStore()
      const written = lines(10)
      await store.outputs.write(written)
      const trim = (bytesMax: number) =>
        store.logRetention.trim('demo', { olderThan: NEVER, bytesMax })
      expect(await trim(bytesOf(written))).toMatchObject({ bySize: 0 })
      expect(await trim(bytesOf(written) - 1)).toMatchObject({ bySize: 1 })
      expect(await idsOf(store)).toEqual(written.slice(1).map(({ id }) => id))
      expect(await trim(0)).toMatchObject({ bySize: 9 })
      expect(await store.logRetention.usage('demo')).toEqual({ lines: 0, bytes: 0 })
    })

    test('removes what is too old first', async () => {
      await using store = await makeStore()
      await store.outputs.write(lines(10))
      expect(
        await store.logRetention.trim('demo', {
          olderThan: new Date(4_000),
          bytesMax: EVERYTHING,
        }),
      ).toMatchObject({ byAge: 3, bySize: 0 })
      expect(await store.logRetention.usage('demo')).toMatchObject({ lines: 7 })
    })

    test('lines that expire are not counted any more', async () => {
      await using store = await makeStore()
      await store.outputs.write([...lines(10), ...lines(4, 'other')])
      expect(await store.outputs.expire(new Date(4_000))).toBe(6)
      expect(await store.logRetention.usage('demo')).toMatchObject({ lines: 7 })
      expect(await store.logRetention.usage('other')).toMatchObject({ lines: 1 })
    })

    test('a runtime has limits of its own, until it is removed', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const { logRetention } = store
      expect(await logRetention.limits('demo')).toEqual({ ageMs: null, bytesMax: null })
      await logRetention.setLimits('demo', { ageMs: 1, bytesMax: 2 })
      await logRetention.setLimits('demo', { ageMs: 3_600_000, bytesMax: null })
      expect(await logRetention.limits('demo')).toEqual({ ageMs: 3_600_000, bytesMax: null })
      expect(await logRetention.limits('other')).toEqual({ ageMs: null, bytesMax: null })
      await store.outputs.write(lines(2))
      await store.runtimes.remove('demo')
      expect(await logRetention.limits('demo')).toEqual({ ageMs: null, bytesMax: null })
      expect(await logRetention.usage('demo')).toEqual({ lines: 0, bytes: 0 })
    })
  })
}

function bytesOf(records: readonly unknown[]): number {
  return records.reduce<number>((sum, record) => sum + Buffer.byteLength(JSON.stringify(record)), 0)
}

async function idsOf(store: Store): Promise<string[]> {
  const page = await store.outputs.logs({ runtimeId: 'demo', limit: 1_000, order: 'oldest-first' })
  return page.items.map(({ id }) => id)
}
