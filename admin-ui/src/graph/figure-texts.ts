/** What is shown of figures, at nodes, edges, in tables and beside the graph. Pure. */
import { formatMs, formatRate } from '../ui/format.ts'
import type { Figures } from './traffic.ts'
import type { ReadFigure } from './use-traffic.ts'

type Text = ReadFigure<string>
type Time = 'duration' | 'overhead' | 'transport' | 'queue' | 'handler'

/** Nothing heard of a part of a workflow that is watched means that nothing happened. */
const count =
  (read: (figures: Figures) => number): Text =>
  (figures, isKnown) =>
    figures === undefined ? (isKnown ? '0' : '–') : String(read(figures))

export const rateText: Text = (figures, isKnown) =>
  figures === undefined && isKnown ? '0/s' : formatRate(figures?.rate)
export const errorsText: Text = count(({ errors }) => errors)
export const queuedText: Text = count(({ queued }) => queued ?? 0)

const quantiles = (time: Time): { readonly p50: Text; readonly p99: Text } => ({
  p50: (figures) => formatMs(figures?.[time]?.p50),
  p99: (figures) => formatMs(figures?.[time]?.p99),
})
/** One function each, so that whoever uses them in a view gets the same one every time. */
export const timeTexts: Readonly<Record<Time, { readonly p50: Text; readonly p99: Text }>> = {
  duration: quantiles('duration'),
  overhead: quantiles('overhead'),
  transport: quantiles('transport'),
  queue: quantiles('queue'),
  handler: quantiles('handler'),
}

export const hasCalls: ReadFigure<boolean> = (figures) => (figures?.calls ?? 0) > 0
export const hasErrors: ReadFigure<boolean> = (figures) => (figures?.errors ?? 0) > 0
export const hasQueue: ReadFigure<boolean> = (figures) => (figures?.queued ?? 0) > 0
export const isPast: ReadFigure<boolean> = (figures) => figures?.isPast === true
/** The rate, where there is one: edges and cards far away have no room for zeros. */
export const someRateText: Text = (figures) =>
  figures !== undefined && figures.calls > 0 ? formatRate(figures.rate) : ''
