/** Samples of the store as series of workflows, nodes and edges. Pure. */
import { addCounts, type TrafficCounts, type TrafficSample, type TrafficScope } from '@kre/store'

export type TrafficSeries = {
  readonly scope: TrafficScope
  readonly total: TrafficCounts
  /** Oldest first; steps in which nothing happened are left out. */
  readonly points: readonly { at: Date; counts: TrafficCounts }[]
}

/** One series per scope, in the order of their names. @param stepMs null = no points, the total alone. */
export function sumTraffic(
  samples: readonly TrafficSample[],
  stepMs: number | null,
): TrafficSeries[] {
  const byScope = Map.groupBy(samples, ({ workflow, node, from }) =>
    JSON.stringify([workflow, node ?? '', from ?? '']),
  )
  return [...byScope]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) => {
      const [first] = own
      if (first === undefined) return []
      const { workflow, node, from } = first
      return [
        {
          scope: { workflow, node, from },
          total: sumOf(own),
          points: stepMs === null ? [] : pointsOf(own, stepMs),
        },
      ]
    })
}

function pointsOf(samples: readonly TrafficSample[], stepMs: number) {
  const bySteps = Map.groupBy(samples, ({ at }) => Math.floor(at.getTime() / stepMs) * stepMs)
  return [...bySteps]
    .toSorted(([a], [b]) => a - b)
    .map(([atMs, own]) => ({ at: new Date(atMs), counts: sumOf(own) }))
}

function sumOf(samples: readonly TrafficCounts[]): TrafficCounts {
  return samples.reduce<TrafficCounts>(addCounts, { calls: 0, errors: 0, times: {} })
}
