/** One request's messages as bars on one line of time. Pure. */
import type { RequestWaterfallResult } from '../gen/documents.ts'

export type KeptRequest = NonNullable<RequestWaterfallResult['request']>

/** Shares of the whole, 0 to 1. */
export type Segment = {
  readonly kind: 'transport' | 'queue' | 'handler'
  readonly from: number
  readonly to: number
}
export type Bar = {
  readonly step: KeptRequest['steps'][number]
  readonly segments: readonly Segment[]
}

/**
 * The line reaches from the request's arrival to its answer, or to the end of the last handler, which may be later.
 * Clocks of two processes differ a little: what would lie before the arrival begins there.
 */
export function waterfallOf(request: KeptRequest): { bars: readonly Bar[]; wholeMs: number } {
  const start = Date.parse(request.startDate)
  const spans = request.steps.map((step) => {
    const arrival = Math.max(0, Date.parse(step.arrivalDate) - start)
    const sent = Math.max(0, arrival - (step.transportMs ?? 0))
    const handling = arrival + step.queueMs
    return { step, sent, arrival, handling, end: handling + step.handlerMs }
  })
  const wholeMs = Math.max(request.elapsedMs, ...spans.map(({ end }) => end), Number.MIN_VALUE)
  const bars = spans.map(({ step, sent, arrival, handling, end }) => ({
    step,
    segments: [
      { kind: 'transport' as const, from: sent / wholeMs, to: arrival / wholeMs },
      { kind: 'queue' as const, from: arrival / wholeMs, to: handling / wholeMs },
      { kind: 'handler' as const, from: handling / wholeMs, to: end / wholeMs },
    ].filter(({ from, to }) => to > from),
  }))
  return { bars, wholeMs }
}
