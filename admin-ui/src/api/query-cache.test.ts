import { describe, expect, test } from '@jest/globals'
import { ApiError } from './api-error.ts'
import { createQueryCache } from './query-cache.ts'

/** Answers that the test gives when it likes. */
function createSource() {
  const waiting: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = []
  return {
    reads: () => waiting.length,
    read: () => new Promise((resolve, reject) => void waiting.push({ resolve, reject })),
    async answer(index: number, value: unknown) {
      waiting[index]?.resolve(value)
      await settled()
    },
    async fail(index: number, error: unknown) {
      waiting[index]?.reject(error)
      await settled()
    },
  }
}
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a query', () => {
  test('is read when somebody looks, once for all who do', async () => {
    const cache = createQueryCache()
    const source = createSource()
    let told = 0
    const leave = cache.watch('k', source.read, () => (told += 1))
    cache.watch('k', source.read, () => undefined)
    expect(source.reads()).toBe(1)
    expect(cache.state('k')).toMatchObject({ data: undefined, isLoading: true })
    await source.answer(0, 'one')
    expect(cache.state('k')).toEqual({ data: 'one', error: null, isLoading: false })
    expect(told).toBeGreaterThan(0)
    leave()
  })

  test('shows what it has while it is read again, also when that fails', async () => {
    const cache = createQueryCache()
    const source = createSource()
    cache.watch('k', source.read, () => undefined)
    await source.answer(0, 'old')
    void cache.refresh('k')
    expect(cache.state('k')).toMatchObject({ data: 'old', isLoading: true })
    await source.fail(1, new ApiError('UNREACHABLE', ''))
    expect(cache.state('k')).toMatchObject({ data: 'old', error: { code: 'UNREACHABLE' } })
    void cache.refresh('k')
    await source.answer(2, 'new')
    expect(cache.state('k')).toEqual({ data: 'new', error: null, isLoading: false })
  })

  test('is read once more when asked for meanwhile, however often', async () => {
    const cache = createQueryCache()
    const source = createSource()
    cache.watch('k', source.read, () => undefined)
    for (let i = 0; i < 5; i += 1) void cache.refresh('k')
    expect(source.reads()).toBe(1)
    await source.answer(0, 'before')
    expect(source.reads()).toBe(2)
    await source.answer(1, 'after')
    expect(source.reads()).toBe(2)
    expect(cache.state('k')).toMatchObject({ data: 'after', isLoading: false })
  })

  test('that nobody looks at is forgotten by a reading of everything', async () => {
    const cache = createQueryCache()
    const seen = createSource()
    const left = createSource()
    cache.watch('seen', seen.read, () => undefined)
    cache.watch('left', left.read, () => undefined)()
    await seen.answer(0, 1)
    await left.answer(0, 1)
    const all = cache.refreshAll()
    expect([seen.reads(), left.reads()]).toEqual([2, 1])
    await seen.answer(1, 2)
    await all
    expect(cache.state('left')).toMatchObject({ data: undefined })
  })

  test('is kept for the way back, 40 of them at most', async () => {
    let now = 0
    const cache = createQueryCache(() => (now += 1))
    for (let i = 0; i < 60; i += 1)
      cache.watch(
        `k${i}`,
        async () => i,
        () => undefined,
      )()
    await settled()
    const kept = Array.from({ length: 60 }, (_, i) => cache.state(`k${i}`).data !== undefined)
    expect(kept.filter(Boolean)).toHaveLength(40)
    expect(kept.slice(0, 20)).not.toContain(true)
  })
})
