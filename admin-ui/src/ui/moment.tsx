import { t } from '../texts/en.ts'
import { readSaved, save } from './saved.ts'
import { createStore, useStore } from './store.ts'

export type Zone = 'local' | 'UTC'

const ZONE_KEY = 'kre-zone'
export const zone = createStore<Zone>(readSaved(ZONE_KEY) === 'UTC' ? 'UTC' : 'local')
export function setZone(next: Zone): void {
  save(ZONE_KEY, next)
  zone.set(next)
}

/** Name of the zone that times are shown in. */
export function zoneName(of: Zone): string {
  return of === 'UTC' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** A moment in the chosen zone; the whole of it, with the zone, on hovering. */
export function Moment({ at, seconds = false }: { at: string | null; seconds?: boolean }) {
  const shown = useStore(zone)
  if (at === null) return <span className="faint">{t.common.never}</span>
  return (
    <time dateTime={at} title={formatMoment(at, shown, 'full')}>
      {formatMoment(at, shown, seconds ? 'seconds' : 'minutes')}
    </time>
  )
}

type Detail = 'minutes' | 'seconds' | 'full' | 'clock'

/** Making a formatter costs more than a hundred uses of it, and a log draws many lines at a time. */
const formatters = new Map<string, Intl.DateTimeFormat>()

/** `full` has the zone's name; `clock` is for lines of a log: the time of day with milliseconds. */
export function formatMoment(at: string, in_: Zone, detail: Detail): string {
  const key = `${in_} ${detail}`
  const formatter = formatters.get(key) ?? new Intl.DateTimeFormat('en-GB', optionsOf(in_, detail))
  formatters.set(key, formatter)
  return formatter.format(new Date(at))
}

function optionsOf(in_: Zone, detail: Detail): Intl.DateTimeFormatOptions {
  return {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(detail === 'clock' ? {} : { year: 'numeric', month: 'short', day: '2-digit' }),
    ...(detail === 'minutes' ? {} : { second: '2-digit' }),
    ...(detail === 'clock' ? { fractionalSecondDigits: 3 } : {}),
    ...(detail === 'full' ? { timeZoneName: 'short' } : {}),
    ...(in_ === 'UTC' ? { timeZone: 'UTC' } : {}),
  }
}
