import { describe, expect, test } from '@jest/globals'
import { sampleRuntime } from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const AT = new Date('2026-02-03T04:05:06.789Z')

export function configContract(makeStore: MakeStore): void {
  describe('configuration', () => {
    test('is set entry by entry and counts its changes', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const entry = { key: 'A', type: 'VARIABLE' as const, value: '1', updatedAt: AT }
      expect(await store.config.generation('demo', 'v1')).toBe(0)
      expect(await store.config.set('demo', 'v1', [entry])).toBe(1)
      const file = { key: 'B', type: 'FILE' as const, value: '', updatedAt: AT }
      expect(await store.config.set('demo', 'v1', [{ ...entry, value: '2' }, file])).toBe(2)
      expect(await store.config.set('demo', 'v1', [])).toBe(2)
      expect(await store.config.get('demo', 'v1')).toEqual([{ ...entry, value: '2' }, file])
      expect(await store.config.get('demo', 'v2')).toEqual([])
      await store.config.remove('demo', 'v1')
      expect(await store.config.get('demo', 'v1')).toEqual([])
      expect(await store.config.generation('demo', 'v1')).toBe(0)
    })

    test('is set by one of many who saw the same generation, and the others are told', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const entry = (value: string) => ({
        key: 'A',
        type: 'VARIABLE' as const,
        value,
        updatedAt: AT,
      })
      await store.config.set('demo', 'v1', [entry('first')], 0)
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, i) => store.config.set('demo', 'v1', [entry(`${i}`)], 1)),
      )
      const refused = results.filter((result) => result.status === 'rejected')
      expect(refused).toHaveLength(7)
      expect(refused[0]?.reason).toMatchObject({ code: 'aborted', details: { inForce: 2 } })
      const winner = results.findIndex((result) => result.status === 'fulfilled')
      expect(await store.config.get('demo', 'v1')).toEqual([entry(`${winner}`)])
      await expect(store.config.set('demo', 'v1', [], 1)).rejects.toMatchObject({ code: 'aborted' })
    })

    test('takes another form of a value without counting it as a change', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const entry = { key: 'A', type: 'VARIABLE' as const, value: 'plain', updatedAt: AT }
      await store.config.set('demo', 'v1', [entry])
      expect(await store.config.replaceValue('demo', 'v1', 'A', 'plain', 'sealed')).toBe(true)
      await store.config.eraseReplaced()
      expect(await store.config.replaceValue('demo', 'v1', 'A', 'plain', 'late')).toBe(false)
      expect(await store.config.replaceValue('demo', 'v1', 'B', '', 'new')).toBe(false)
      expect(await store.config.get('demo', 'v1')).toEqual([{ ...entry, value: 'sealed' }])
      expect(await store.config.generation('demo', 'v1')).toBe(1)
    })
  })
}
