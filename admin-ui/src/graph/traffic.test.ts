import { describe, expect, test } from '@jest/globals'
import { edgeFigure, nextTrafficView, nodeFigure, NO_TRAFFIC, type Traffic } from './traffic.ts'

const latency = (p50: number) => ({ p50, p99: p50 * 2 })
const traffic = (changes: Partial<Traffic>): Traffic => ({
  endDate: '2026-01-01T00:00:00.000Z',
  workflows: [],
  nodes: [],
  edges: [],
  ...changes,
})
const node = (calls: number, queued: number): Traffic['nodes'][number] => ({
  nodeId: 'wf.a',
  total: {
    calls,
    errors: 0,
    rate: calls / 5,
    queued,
    transport: null,
    queue: null,
    handler: calls === 0 ? null : latency(3),
  },
})

describe('the traffic of a version', () => {
  test('is by workflow, node and edge', () => {
    const { figures, isKnown } = nextTrafficView(
      NO_TRAFFIC,
      traffic({
        workflows: [
          {
            workflowId: 'wf',
            total: { calls: 5, errors: 1, rate: 1, duration: latency(9), overhead: null },
          },
        ],
        nodes: [node(5, 2)],
        edges: [
          {
            workflowId: 'wf',
            fromNodeId: 'entrypoint',
            toNodeId: 'wf.a',
            total: { calls: 5, errors: 0, rate: 1, transport: latency(1) },
          },
        ],
      }),
    )
    expect(isKnown).toBe(true)
    expect(figures.get(nodeFigure('wf', 'entrypoint'))).toMatchObject({ errors: 1, rate: 1 })
    expect(figures.get(nodeFigure('wf', 'wf.a'))).toMatchObject({ queued: 2, isPast: false })
    expect(figures.get(edgeFigure('wf', 'entrypoint', 'wf.a'))).toMatchObject({ calls: 5 })
  })

  test('keeps the times of what rests, and says that they are past', () => {
    const busy = nextTrafficView(NO_TRAFFIC, traffic({ nodes: [node(5, 2)] }))
    const resting = nextTrafficView(busy, traffic({}))
    const key = nodeFigure('wf', 'wf.a')
    expect(resting.figures.get(key)).toMatchObject({
      calls: 0,
      rate: 0,
      queued: 0,
      handler: latency(3),
      isPast: true,
    })
    // The same object: what did not change is not drawn again.
    expect(nextTrafficView(resting, traffic({})).figures.get(key)).toBe(resting.figures.get(key))
    expect(
      nextTrafficView(resting, traffic({ nodes: [node(1, 0)] })).figures.get(key),
    ).toMatchObject({ calls: 1, isPast: false })
  })

  test('shows what waits at a node that ends nothing', () => {
    const busy = nextTrafficView(NO_TRAFFIC, traffic({ nodes: [node(5, 2)] }))
    const stuck = nextTrafficView(busy, traffic({ nodes: [node(0, 40)] }))
    expect(stuck.figures.get(nodeFigure('wf', 'wf.a'))).toMatchObject({
      rate: 0,
      queued: 40,
      handler: latency(3),
      isPast: true,
    })
  })
})
