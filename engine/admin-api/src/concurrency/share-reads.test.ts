import { expect, test } from '@jest/globals'
import { shareReads } from './share-reads.ts'

test('callers that ask at once share a read, those of something else do not', async () => {
  const reads: string[] = []
  const read = shareReads(
    (asked: string) => asked,
    async (asked) => `${asked}${reads.push(asked)}`,
  )
  expect(await Promise.all([read('a'), read('a'), read('b'), read('a')])).toEqual([
    'a1',
    'a1',
    'b2',
    'a1',
  ])
  expect(await read('a')).toBe('a3')
})

test('who asks while a read is under way is told what was so afterwards', async () => {
  let value = 'old'
  let goOn = (): void => undefined
  const held = new Promise<void>((resolve) => (goOn = resolve))
  let reads = 0
  const read = shareReads(
    () => '',
    async () => {
      reads += 1
      const seen = value
      if (reads === 1) await held
      return seen
    },
  )
  const first = read(null)
  while (reads === 0) await new Promise((resolve) => setImmediate(resolve))
  value = 'new'
  const second = read(null)
  expect(await second).toBe('new')
  goOn()
  expect(await first).toBe('old')
})

test('a read that fails fails for those who asked for it, and for nobody after them', async () => {
  let fails = true
  const read = shareReads(
    () => '',
    async () => {
      if (fails) throw new Error('away')
      return 'back'
    },
  )
  const results = await Promise.allSettled([read(null), read(null)])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fails = false
  expect(await read(null)).toBe('back')
})
