import { describe, expect, test } from '@jest/globals'
import { nextNode } from './canvas-keys.ts'
import type { GraphEdge, WorkflowGraph } from './graph-model.ts'

const edge = (from: string, to: string): GraphEdge => ({
  id: `${from}>${to}`,
  from,
  to,
  channels: [],
  durability: 'fast',
  isFused: false,
})
const graph: WorkflowGraph = {
  nodes: [],
  edges: [edge('in', 'a'), edge('in', 'b'), edge('in', 'c'), edge('a', 'd'), edge('c', 'd')],
}
const places = new Map([
  ['in', { x: 0, y: 100 }],
  ['a', { x: 300, y: 0 }],
  ['b', { x: 300, y: 120 }],
  ['c', { x: 300, y: 240 }],
  ['d', { x: 600, y: 20 }],
])

describe('the arrow keys', () => {
  test.each([
    ['in', 'ArrowRight', 'b'],
    ['a', 'ArrowRight', 'd'],
    ['d', 'ArrowRight', null],
    ['d', 'ArrowLeft', 'a'],
    ['in', 'ArrowLeft', null],
    ['b', 'ArrowUp', 'a'],
    ['a', 'ArrowDown', 'b'],
    ['c', 'ArrowDown', null],
    ['a', 'x', null],
    ['gone', 'ArrowRight', null],
  ])('lead from %s by %s to %s', (from, key, to) => {
    expect(nextNode(graph, places, from, key)).toBe(to)
  })
})
