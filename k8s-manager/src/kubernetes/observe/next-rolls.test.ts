import { describe, expect, test } from '@jest/globals'
import { nextRolls, type RollFacts } from './next-rolls.ts'

const former = (name: string, facts: Partial<RollFacts> = {}): RollFacts => ({
  name,
  group: 'shop-v1',
  role: 'node',
  isFormer: true,
  isRolling: false,
  isSound: true,
  ...facts,
})
const current = (name: string, facts: Partial<RollFacts> = {}) =>
  former(name, { isFormer: false, ...facts })

describe('workloads that an engine with other settings has made', () => {
  test('are rolled one at a time: version by version, an entrypoint after its nodes', () => {
    const queue = [
      former('z', { group: 'shop-v0' }),
      former('a-entrypoint', { role: 'entrypoint' }),
      former('b'),
      former('c'),
    ]
    const order: string[] = []
    for (let left = queue; left.length > 0;) {
      const { roll } = nextRolls(left, 1)
      expect(roll).toHaveLength(1)
      order.push(...roll)
      left = left.filter(({ name }) => !roll.includes(name))
    }
    expect(order).toEqual(['z', 'b', 'c', 'a-entrypoint'])
  })

  test('wait until the one before them is ready, and for good if it is not', () => {
    const stuck = current('a', { isRolling: true, isSound: false })
    expect(nextRolls([stuck, former('b')], 1)).toEqual({ roll: [], done: [], underWay: ['a'] })
    const works = current('a', { isRolling: true })
    expect(nextRolls([works, former('b')], 1)).toEqual({ roll: ['b'], done: ['a'], underWay: [] })
  })

  test('do not wait for one that its user, and not the upgrade, has broken', () => {
    const broken = current('a', { isSound: false })
    expect(nextRolls([broken, former('b')], 1).roll).toEqual(['b'])
  })

  test('go last where they were not well before', () => {
    const broken = former('a', { isSound: false })
    expect(nextRolls([broken, former('b')], 2).roll).toEqual(['b'])
    expect(nextRolls([broken], 2).roll).toEqual(['a'])
  })

  test('go first where they were stuck on the way to other settings', () => {
    const stuck = former('z', { isRolling: true, isSound: false })
    expect(nextRolls([former('a'), stuck], 1)).toEqual({ roll: ['z'], done: [], underWay: [] })
  })

  test('are as many at once as is wanted, and none with 0', () => {
    const three = ['a', 'b', 'c'].map((name) => former(name))
    expect(nextRolls(three, 2).roll).toEqual(['a', 'b'])
    const under = current('d', { isRolling: true, isSound: false })
    expect(nextRolls([...three, under], 2).roll).toEqual(['a'])
    expect(nextRolls(three, 0).roll).toEqual([])
  })

  test('that are as they shall be are left alone', () => {
    expect(nextRolls([current('a'), current('b', { isSound: false })], 1)).toEqual({
      roll: [],
      done: [],
      underWay: [],
    })
  })
})
