import { describe, expect, test } from '@jest/globals'
import type { ClusterObject } from './cluster/kinds.ts'
import { createObjectIndex } from './object-index.ts'

const object = (name: string, group?: string, resourceVersion = '1'): ClusterObject => ({
  metadata: { name, resourceVersion, ...(group === undefined ? {} : { labels: { group } }) },
})

describe('objects by a label', () => {
  test('are those that have the value now', () => {
    const index = createObjectIndex<ClusterObject>('group')
    const [one, two, later] = [object('one', 'a'), object('two', 'a'), object('one', 'a', '2')]
    index.note(null, one)
    index.note(null, two)
    index.note(null, object('other', 'b'))
    index.note(one, later)
    expect(index.of('a')).toEqual([two, later])
    index.note(two, null)
    expect(index.of('a')).toEqual([later])
  })

  test('move when their label does, and leave no empty value behind', () => {
    const index = createObjectIndex<ClusterObject>('group')
    const [first, moved] = [object('one', 'a'), object('one', 'b')]
    index.note(null, first)
    index.note(first, moved)
    expect([...index.values()]).toEqual(['b'])
    index.note(moved, object('one'))
    expect([...index.values()]).toEqual([])
    expect(index.of('')).toEqual([])
  })

  test('are the same list until one of them changes', () => {
    const index = createObjectIndex<ClusterObject>('group')
    const first = object('one', 'a')
    index.note(null, first)
    const before = index.of('a')
    index.note(null, object('other', 'b'))
    expect(index.of('a')).toBe(before)
    expect(index.of('c')).toBe(index.of('d'))
    index.note(first, object('one', 'a', '2'))
    expect(index.of('a')).not.toBe(before)
  })
})
