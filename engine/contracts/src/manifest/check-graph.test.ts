import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { checkGraph } from './check-graph.ts'
import { findCycles } from './find-cycles.ts'
import { parseManifest } from './parse-manifest.ts'

/** Node i listens to `sources[i]`; -1 is the entrypoint. */
type Graph = { sources: number[][]; exitpoint: number }

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 7 }).chain((count) =>
  fc.record({
    sources: fc
      .array(
        fc.uniqueArray(fc.integer({ min: -1, max: count - 1 }), { minLength: 1, maxLength: 3 }),
        { minLength: count, maxLength: count },
      )
      .map((lists) => lists.map((list, i) => without(list, i))),
    exitpoint: fc.nat(count - 1),
  }),
)

/** A subscription to itself is another rule. */
function without(list: number[], self: number): number[] {
  const others = list.filter((source) => source !== self)
  return others.length === 0 ? [-1] : others
}

function toText({ sources, exitpoint }: Graph): string {
  const nodes = sources.map((list, i) => {
    const from = list.map((source) => (source === -1 ? 'entrypoint' : `n${source}`))
    return `      - { name: n${i}, image: konstellation/kre-ts:1, src: a.ts, subscriptions: [${from.join(', ')}] }`
  })
  return `krtVersion: v2
version: v
description: d
entrypoint: { proto: a.proto, image: konstellation/kre-entrypoint:1 }
workflows:
  - name: w
    entrypoint: R
    exitpoint: n${exitpoint}
    nodes:
${nodes.join('\n')}
`
}

/** The rule by matrices, in another way than the validator goes: which node is reached from which, in any steps. */
function oracle({ sources, exitpoint }: Graph): {
  cyclic: boolean
  unreached: number[]
  aside: number[]
} {
  const count = sources.length
  const reach = sources.map((_, from) => sources.map((list) => list.includes(from)))
  for (let k = 0; k < count; k++)
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++) reach[i]![j] ||= reach[i]![k]! && reach[k]![j]!
  const all = [...sources.keys()]
  const entries = all.filter((i) => sources[i]!.includes(-1))
  return {
    cyclic: all.some((i) => reach[i]![i]!),
    unreached: all.filter((i) => !entries.some((entry) => entry === i || reach[entry]![i])),
    aside: all.filter((i) => i !== exitpoint && !reach[i]![exitpoint]),
  }
}

describe('random graphs', () => {
  test('are accepted if and only if they have no cycle and everything is reached', () => {
    let acceptedRuns = 0
    fc.assert(
      fc.property(graphs, (graph) => {
        const { cyclic, unreached, aside } = oracle(graph)
        const result = parseManifest(toText(graph), { file: 'kre.yaml' })
        const nodesOf = (code: string) =>
          result.issues
            .filter((issue) => issue.code === code)
            .map((issue) => Number(/nodes\[(\d+)\]/.exec(issue.path)?.[1]))
        expect(result.ok).toBe(!cyclic && unreached.length === 0)
        expect(nodesOf('GRAPH_CYCLE').length > 0).toBe(cyclic)
        expect(nodesOf('NODE_UNREACHABLE')).toEqual(unreached)
        expect(nodesOf('NODE_SIDE_BRANCH')).toEqual(aside)
        expect(result.issues.some((issue) => issue.code === 'EXITPOINT_UNREACHABLE')).toBe(
          unreached.includes(graph.exitpoint),
        )
        if (result.ok) acceptedRuns++
      }),
      { numRuns: 400 },
    )
    expect(acceptedRuns).toBeGreaterThan(30)
  })

  test('have each reported cycle in them', () => {
    fc.assert(
      fc.property(graphs, ({ sources }) => {
        const next = sources.map((_, from) =>
          [...sources.keys()].filter((to) => sources[to]!.includes(from)),
        )
        for (const cycle of findCycles(next)) {
          expect(new Set(cycle).size).toBe(cycle.length)
          for (const [i, node] of cycle.entries())
            expect(next[node]).toContain(cycle[(i + 1) % cycle.length])
        }
      }),
    )
  })
})

describe('checkGraph', () => {
  test('says nothing about what lies behind a node whose subscriptions were refused', () => {
    const added: string[] = []
    const node = { path: [], isRevisited: false }
    checkGraph(
      {
        workflow: 'w',
        nodes: [
          { ...node, name: 'a', edges: [], isBroken: true },
          { ...node, name: 'b', edges: [{ from: 0, path: [] }], isBroken: false },
        ],
        exitpoint: { index: 1, path: [] },
      },
      { add: (issue) => added.push(issue.code), place: () => '' },
    )
    expect(added).toEqual([])
  })

  test('walks a chain of 50,000 nodes without overflowing the stack', () => {
    const next = Array.from({ length: 50_000 }, (_, i) => [(i + 1) % 50_000])
    expect(findCycles(next)[0]).toHaveLength(50_000)
  })
})
