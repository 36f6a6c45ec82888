import { describe, expect, test } from '@jest/globals'
import { graphOf, type NodeFacts, type WorkflowFacts } from './graph-model.ts'
import { layoutGraph, NODE_SIZE } from './layout-graph.ts'

const node = (name: string, subscriptions: string[]): NodeFacts => ({
  id: `wf.${name}`,
  name,
  status: 'STARTED',
  statusReason: '',
  subscriptions,
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

describe('graphOf', () => {
  test('begins at the entrypoint and ends at the exitpoint', () => {
    const { nodes, edges } = graphOf(workflow([node('a', ['entrypoint']), node('b', ['a'])], 'b'))
    expect(nodes.map(({ id, isExitpoint }) => [id, isExitpoint])).toEqual([
      ['entrypoint', false],
      ['wf.a', false],
      ['wf.b', true],
    ])
    expect(edges).toEqual([
      { id: 'entrypoint>wf.a', from: 'entrypoint', to: 'wf.a', channels: [] },
      { id: 'wf.a>wf.b', from: 'wf.a', to: 'wf.b', channels: [] },
    ])
  })

  test('draws several channels between two nodes as one edge', () => {
    const { edges } = graphOf(
      workflow([node('a', ['entrypoint']), node('b', ['a', 'a.large', 'a.free'])], 'b'),
    )
    expect(edges[1]).toMatchObject({ from: 'wf.a', channels: ['large', 'free'] })
  })

  test('leaves out what it does not know', () => {
    expect(graphOf(workflow([node('a', ['ghost', 'ghost.x'])], 'a')).edges).toEqual([])
  })
})

describe('layoutGraph', () => {
  test('puts 60 nodes side by side and after each other, none over another', () => {
    const layers = Array.from({ length: 60 }, (_, i) =>
      node(`n${i}`, [i < 6 ? 'entrypoint' : `n${i - 6}`]),
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
    const graph = graphOf(workflow([node('a', ['entrypoint']), node('b', ['a'])], 'b'))
    const places = layoutGraph(graph)
    const [first = 0, second = 0, third = 0] = ['entrypoint', 'wf.a', 'wf.b'].map(
      (id) => places.get(id)?.x ?? -1,
    )
    expect(first < second && second < third).toBe(true)
  })
})
