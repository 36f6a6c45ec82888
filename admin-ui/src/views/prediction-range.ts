/** Of which time predictions are shown, as it stands in the address of the page. Pure. */
import { shellWord } from '../ui/shell-word.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Days. */
export const RANGES = [1, 7, 30, 365] as const
const DAYS_DEFAULT = 7

export type PredictionRange =
  | { readonly kind: 'last'; readonly days: number }
  /** RFC 3339, both included. */
  | { readonly kind: 'between'; readonly from: string; readonly to: string }

export type Bounds = { readonly startDate: string; readonly endDate: string }

/** Two moments when the address has both, else the last days. */
export function readRange(search: URLSearchParams): PredictionRange {
  const [from, to] = [momentOf(search.get('from')), momentOf(search.get('to'))]
  if (from !== null && to !== null) return { kind: 'between', from, to }
  const days = RANGES.find((one) => String(one) === search.get('days')) ?? DAYS_DEFAULT
  return { kind: 'last', days }
}

/** The address with this range in place of the one before; what else stands there stays. */
export function withRange(search: URLSearchParams, range: PredictionRange): URLSearchParams {
  const next = new URLSearchParams(search)
  for (const name of ['days', 'from', 'to']) next.delete(name)
  if (range.kind === 'between') {
    next.set('from', range.from)
    next.set('to', range.to)
  } else if (range.days !== DAYS_DEFAULT) next.set('days', String(range.days))
  return next
}

/** @param now milliseconds since 1970. */
export function boundsOf(range: PredictionRange, now: number): Bounds {
  if (range.kind === 'between') return { startDate: range.from, endDate: range.to }
  const startDate = new Date(now - range.days * DAY_MS).toISOString()
  return { startDate, endDate: new Date(now).toISOString() }
}

/** The same time as two moments that a form can show: whole minutes, a little longer rather than shorter. */
export function wholeMinutesOf(range: PredictionRange, now: number): PredictionRange {
  const { startDate, endDate } = boundsOf(range, now)
  const minute = (round: (value: number) => number, at: string): string =>
    new Date(round(Date.parse(at) / MINUTE_MS) * MINUTE_MS).toISOString()
  return { kind: 'between', from: minute(Math.floor, startDate), to: minute(Math.ceil, endDate) }
}

export function isBackwards({ from, to }: { from: string; to: string }): boolean {
  return Date.parse(to) < Date.parse(from)
}

/** The command that shows the same, to the minute: it counts from now. @param now milliseconds since 1970. */
export function metricsCommand(
  runtimeId: string,
  versionName: string,
  range: PredictionRange,
  now: number,
): string {
  const command = `krectl version metrics ${shellWord(versionName)} -r ${shellWord(runtimeId)}`
  if (range.kind === 'last') return `${command} --since ${range.days}d`
  const since = Math.max(0, Math.ceil((now - Date.parse(range.from)) / MINUTE_MS))
  const until = Math.max(0, Math.floor((now - Date.parse(range.to)) / MINUTE_MS))
  return `${command} --since ${since}m${until === 0 ? '' : ` --until ${until}m`}`
}

function momentOf(text: string | null): string | null {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}
