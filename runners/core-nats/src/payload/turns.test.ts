import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createTurns } from './turns.ts'

describe('turns', () => {
  test('come in their order, while there is room', () => {
    const turns = createTurns(2, 100)
    const begun: string[] = []
    const begin = (name: string) => () => void begun.push(name)
    turns.take(60, begin('a'))
    turns.take(60, begin('b'))
    turns.take(10, begin('c'))
    // `c` would have room, and is behind `b`.
    expect(begun).toEqual(['a'])
    turns.giveBack(60)
    expect(begun).toEqual(['a', 'b', 'c'])
    turns.take(1, begin('d'))
    expect(begun).toHaveLength(3)
    turns.giveBack(10)
    expect(begun).toHaveLength(4)
  })

  test('of what is larger than all the room come when nothing else is under way', () => {
    const turns = createTurns(4, 100)
    const begun: number[] = []
    turns.take(1, () => begun.push(1))
    turns.take(1_000, () => begun.push(1_000))
    expect(begun).toEqual([1])
    turns.giveBack(1)
    expect(begun).toEqual([1, 1_000])
  })

  test('come for everybody, and never for more than there is room for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 120 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        (sizes, atOnce) => {
          const turns = createTurns(atOnce, 100)
          const underWay: number[] = []
          let begun = 0
          const checked = () => {
            const held = underWay.reduce((sum, bytes) => sum + bytes, 0)
            expect(underWay.length).toBeLessThanOrEqual(atOnce)
            expect(held <= 100 || underWay.length === 1).toBe(true)
          }
          for (const bytes of sizes)
            turns.take(bytes, () => {
              begun++
              underWay.push(bytes)
              checked()
            })
          for (let bytes = underWay.shift(); bytes !== undefined; bytes = underWay.shift())
            turns.giveBack(bytes)
          expect(begun).toBe(sizes.length)
        },
      ),
    )
  })
})
