/** What a node did in the last half hour, as bars and a line. Pure. */
import type { TrafficHistoryResult } from '../gen/documents.ts'

export type HistoryPoint =
  | TrafficHistoryResult['traffic']['nodes'][number]['points'][number]
  | TrafficHistoryResult['traffic']['workflows'][number]['points'][number]

/** Heights are shares of the whole, 0 to 1; `at` counts steps from the first. */
export type HistoryBar = {
  readonly at: number
  readonly calls: number
  readonly errors: number
}
export type History = {
  readonly steps: number
  readonly bars: readonly HistoryBar[]
  /** Of the slowest hundredth; a gap where nothing was measured is bridged. */
  readonly line: readonly { readonly at: number; readonly height: number }[]
  readonly rateMax: number
  readonly p99MaxMs: number
  readonly errors: number
  readonly queuedMax: number
}

/** @param stepS width of a point in seconds. */
export function historyOf(
  points: readonly HistoryPoint[],
  range: { readonly startDate: string; readonly endDate: string; readonly stepS: number },
): History {
  const { startDate, endDate, stepS } = range
  const start = Date.parse(startDate)
  const steps = Math.max(1, Math.ceil((Date.parse(endDate) - start) / (stepS * 1000)))
  const most = (read: (point: HistoryPoint) => number): number => Math.max(0, ...points.map(read))
  const callsMax = most(({ calls }) => calls)
  const p99MaxMs = most((point) => p99Of(point) ?? 0)
  const at = ({ date }: HistoryPoint): number =>
    Math.min(steps - 1, Math.max(0, Math.floor((Date.parse(date) - start) / (stepS * 1000))))
  const share = (value: number, whole: number): number => (whole === 0 ? 0 : value / whole)
  return {
    steps,
    bars: points.map((point) => ({
      at: at(point),
      calls: share(point.calls, callsMax),
      errors: share(point.errors, callsMax),
    })),
    line: points.flatMap((point) => {
      const p99 = p99Of(point)
      return p99 === null ? [] : [{ at: at(point), height: share(p99, p99MaxMs) }]
    }),
    rateMax: callsMax / stepS,
    p99MaxMs,
    errors: points.reduce((sum, { errors }) => sum + errors, 0),
    queuedMax: most((point) => ('queued' in point ? point.queued : 0)),
  }
}

function p99Of(point: HistoryPoint): number | null {
  return ('handler' in point ? point.handler?.p99 : point.duration?.p99) ?? null
}
