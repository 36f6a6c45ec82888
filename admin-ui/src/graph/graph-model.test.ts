import { describe, expect, test } from '@jest/globals'
import { graphOf, type NodeFacts, type WorkflowFacts } from './graph-model.ts'
import { layoutGraph, NODE_SIZE } from './layout-graph.ts'

type Input = NodeFacts['inputs'][number]

const input = (fromNodeId: string, changes: Partial<Input> = {}): Input => ({
  fromNodeId,
  channel: null,
  durability: 'fast',
  isFused: false,
  ...changes,
})
const node = (name: string, inputs: Input[]): NodeFacts => ({
  id: `wf.${name}`,
  name,
  status: 'STARTED',
  statusReason: '',
  inputs,
  replicas: 1,
  replicasReady: 1,
  restarts: 0,
})
const workflow = (nodes: NodeFacts[], exitpoint: string): WorkflowFacts => ({
  id: 'wf',
  name: 'wf',
  entrypoint: 'Ask',
  exitpoint,
  nodes,
})
const plain = { channels: [], durability: 'fast', isFused: false }

describe('graphOf', () => {
  test('begins at the entrypoint and ends at the exitpoint', () => {
    const { nodes, edges } = graphOf(
      workflow([node('a', [input('entrypoint')]), node('b', [input('wf.a')])], 'b'),
    )
    expect(nodes.map(({ id, isExitpoint }) => [id, isExitpoint])).toEqual([
      ['entrypoint', false],
      ['wf.a', false],
      ['wf.b', true],
    ])
    expect(edges).toEqual([
      { id: 'entrypoint>wf.a', from: 'entrypoint', to: 'wf.a', ...plain },
      { id: 'wf.a>wf.b', from: 'wf.a', to: 'wf.b', ...plain },
    ])
  })

  test('draws several channels between two nodes as one edge', () => {
    const inputs = [
      input('wf.a'),
      input('wf.a', { channel: 'large', durability: 'durable' }),
      input('wf.a', { channel: 'free', durability: 'memory' }),
    ]
    const { edges } = graphOf(workflow([node('a', [input('entrypoint')]), node('b', inputs)], 'b'))
    expect(edges[1]).toMatchObject({
      from: 'wf.a',
      channels: ['large', 'free'],
      durability: 'durable',
    })
  })

  test('marks what two nodes in one process hand to each other', () => {
    const fused = [input('wf.a', { isFused: true })]
    const { edges } = graphOf(workflow([node('a', [input('entrypoint')]), node('b', fused)], 'b'))
    expect(edges.map(({ isFused }) => isFused)).toEqual([false, true])
  })

  test('leaves out what it does not know', () => {
    expect(graphOf(workflow([node('a', [input('wf.ghost')])], 'a')).edges).toEqual([])
  })
})

describe('layoutGraph', () => {
  test('puts 60 nodes side by side and after each other, none over another', () => {
    const layers = Array.from({ length: 60 }, (_, i) =>
      node(`n${i}`, [input(i < 6 ? 'entrypoint' : `wf.n${i - 6}`)]),
    )
    const graph = graphOf(workflow(layers, 'n59'))
    const places = [...layoutGraph(graph).values()]
    expect(places).toHaveLength(61)
    for (const [i, one] of places.entries())
      for (const other of places.slice(i + 1))
        expect(
          Math.abs(one.x - other.x) >= NODE_SIZE.width ||
            Math.abs(one.y - other.y) >= NODE_SIZE.height,
        ).toBe(true)
  })

  test('goes from left to right', () => {
    const graph = graphOf(
      workflow([node('a', [input('entrypoint')]), node('b', [input('wf.a')])], 'b'),
    )
    const places = layoutGraph(graph)
    const [first = 0, second = 0, third = 0] = ['entrypoint', 'wf.a', 'wf.b'].map(
      (id) => places.get(id)?.x ?? -1,
    )
    expect(first < second && second < third).toBe(true)
  })
})
