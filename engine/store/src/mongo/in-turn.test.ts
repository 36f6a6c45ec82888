import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { inTurn } from './in-turn.ts'

describe('inTurn', () => {
  test('does one after the other for a key, in order, whatever becomes of them', async () => {
    let value = 0
    const add = () =>
      inTurn('a', async () => {
        const before = value
        await nextTurn()
        value = before + 1
        if (value === 2) throw new Error('second')
        return value
      })
    const results = await Promise.allSettled([add(), add(), add()])
    expect(
      results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
    ).toEqual([1, 'failed', 3])
  })

  test('lets different keys go on side by side', async () => {
    const never = Promise.withResolvers<string>()
    const waiting = inTurn('slow', () => never.promise)
    expect(await inTurn('other', async () => 'done')).toBe('done')
    never.resolve('late')
    expect(await waiting).toBe('late')
  })
})
