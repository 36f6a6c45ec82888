import type { Announcement } from '@kre/contracts'
import { describe, expect, test } from '@jest/globals'
import { createReplicaTable } from './replica-table.ts'

const workflows = [{ id: 'w', timeoutMs: null, nodes: ['a', 'b'] }]

function announcement(more: Partial<Announcement> = {}): Announcement {
  return {
    role: 'node',
    runtimeId: 'rt',
    version: 'v1',
    workflow: 'w',
    node: 'a',
    replica: 0,
    incarnation: 'first',
    pid: 10,
    bundleDigest: 'd',
    state: 'ready',
    interrupted: [],
    address: null,
    ...more,
  }
}
const notice = (more = {}) => ({
  workflow: 'w',
  node: 'a',
  replica: 0,
  pid: 10,
  interrupted: [],
  reason: '',
  ...more,
})

describe('the replica table', () => {
  test('misses the nodes without a ready replica of the right bundle', () => {
    const table = createReplicaTable(workflows, 'd')
    expect(table.missing('w')).toEqual(['a', 'b'])
    table.announced(announcement(), 0)
    table.announced(announcement({ node: 'b', bundleDigest: 'other' }), 0)
    table.announced(announcement({ node: 'stranger' }), 0)
    expect(table.missing('w')).toEqual(['b'])
    table.announced(announcement({ state: 'draining' }), 0)
    expect(table.missing('w')).toEqual(['a', 'b'])
    table.announced(announcement({ replica: 1, incarnation: 'other' }), 0)
    expect(table.missing('w')).toEqual(['b'])
  })

  test('counts a death once, whether the notice or the next incarnation comes first', () => {
    const noticeFirst = createReplicaTable(workflows, 'd')
    noticeFirst.announced(announcement(), 0)
    const told = noticeFirst.died(notice({ interrupted: ['r'] }))
    expect(noticeFirst.missing('w')).toContain('a')
    const next = announcement({ incarnation: 'second', pid: 11, interrupted: ['r'] })
    expect(noticeFirst.announced(next, 1)).toEqual(told)
    expect(noticeFirst.missing('w')).not.toContain('a')
  })

  test('does not let the late notice of an old process hide the new one', () => {
    const table = createReplicaTable(workflows, 'd')
    table.announced(announcement(), 0)
    table.announced(announcement({ incarnation: 'second', pid: 11 }), 1)
    table.died(notice())
    expect(table.missing('w')).toEqual(['b'])
  })

  test('takes a new incarnation after a drain for no death, unless it left work', () => {
    const table = createReplicaTable(workflows, 'd')
    table.announced(announcement(), 0)
    table.announced(announcement({ state: 'draining' }), 1)
    expect(table.announced(announcement({ incarnation: 'second' }), 2)).toBeNull()
    table.announced(announcement({ incarnation: 'second', state: 'draining' }), 3)
    const third = announcement({ incarnation: 'third', interrupted: ['r'] })
    expect(table.announced(third, 4)).toMatchObject({ interrupted: ['r'] })
  })

  test('ignores what an incarnation that is over still says', () => {
    const table = createReplicaTable(workflows, 'd')
    table.announced(announcement(), 0)
    table.announced(announcement({ incarnation: 'second' }), 1)
    expect(table.announced(announcement(), 2)).toBeNull()
    expect(table.announced(announcement({ incarnation: 'second' }), 3)).toBeNull()
  })

  test('does not bring a dead process back by its last words, but a silent one by new ones', () => {
    const table = createReplicaTable(workflows, 'd')
    table.announced(announcement(), 0)
    table.expire(1_000, 500)
    expect(table.missing('w')).toContain('a')
    table.announced(announcement(), 1_001)
    expect(table.missing('w')).not.toContain('a')
    table.died(notice())
    table.announced(announcement(), 1_002)
    expect(table.missing('w')).toContain('a')
  })

  test('tells the deaths of nodes of one process apart from news that repeat them', () => {
    const table = createReplicaTable(workflows, 'd')
    for (const node of ['a', 'b']) table.announced(announcement({ node }), 0)
    const first = table.died(notice({ node: 'b', interrupted: ['r'] }))
    expect(first).toMatchObject({ node: 'b', interrupted: ['r'], isRepeated: false })
    expect(table.died(notice({ node: 'a' }))).toMatchObject({ node: 'a', isRepeated: true })
    expect(table.missing('w')).toEqual(['a', 'b'])
    const next = { incarnation: 'second', pid: 11 }
    expect(table.announced(announcement(next), 1)).toMatchObject({ isRepeated: false })
    expect(table.announced(announcement({ ...next, node: 'b' }), 1)?.isRepeated).toBe(true)
    expect(table.missing('w')).toEqual([])
  })
})
