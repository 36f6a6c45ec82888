import { describe, expect, test } from '@jest/globals'
import type { Fuse, GraphNode } from '@kre/contracts'
import { sampleNode } from '@kre/contracts/testing'
import { fuseNodes } from './fuse-nodes.ts'

const node = (id: string, from: string, more: Partial<GraphNode> = {}) =>
  sampleNode(id, from, { src: 'a.ts', ...more })
const memory = { cpuMillis: null, memoryBytes: { request: 1, limit: 2 } }
const groups = (nodes: GraphNode[], fuse: Fuse = true) =>
  fuseNodes(nodes, fuse, ({ src }) => src).map((group) => group.map(({ id }) => id))

describe('which nodes share a process', () => {
  const chain = [node('a', 'entrypoint'), node('b', 'a'), node('c', 'b')]

  test('none, unless it is wanted', () => {
    expect(groups(chain, false)).toEqual([['a'], ['b'], ['c']])
  })

  test('a chain, and branches that meet', () => {
    expect(groups(chain)).toEqual([['a', 'b', 'c']])
    const diamond = [...chain.slice(0, 2), node('d', 'a'), node('e', 'b')]
    expect(groups([...diamond, node('f', 'd')])).toEqual([['a', 'b', 'd', 'e', 'f']])
  })

  test('not those that do not feed each other', () => {
    expect(groups([node('a', 'entrypoint'), node('b', 'entrypoint')])).toEqual([['a'], ['b']])
  })

  test.each<[string, Partial<GraphNode>]>([
    ['another language', { src: 'b.py' }],
    ['another image', { image: 'other' }],
    ['other replicas', { replicas: 2 }],
    ['a GPU', { gpu: { count: 1, class: null } }],
    ['a durable edge', { subscriptions: [{ from: 'a', channel: null, durability: 'durable' }] }],
  ])('not across %s', (_what, more) => {
    expect(groups([node('a', 'entrypoint'), node('b', 'a', more)])).toEqual([['a'], ['b']])
  })

  test('those that follow their load only with others of the same range', () => {
    const limits = { min: 0, max: 3, targetInFlight: 1, targetQueueAgeMs: 1, idleMs: 1_000 }
    const pair = (more: Partial<typeof limits> | null) =>
      groups([
        node('a', 'entrypoint', { autoscaling: limits }),
        node('b', 'a', more === null ? {} : { autoscaling: { ...limits, ...more } }),
      ])
    expect(pair({})).toEqual([['a', 'b']])
    expect(pair({ targetInFlight: 9, targetQueueAgeMs: 9 })).toEqual([['a', 'b']])
    for (const other of [null, { min: 1 }, { max: 4 }, { idleMs: 2_000 }])
      expect(pair(other)).toEqual([['a'], ['b']])
  })

  test('auto leaves nodes with resources of their own alone', () => {
    const nodes = [node('a', 'entrypoint'), node('b', 'a', { resources: memory }), node('c', 'b')]
    expect(groups(nodes, 'auto')).toEqual([['a'], ['b'], ['c']])
    expect(groups(nodes, true)).toEqual([['a', 'b', 'c']])
  })
})
