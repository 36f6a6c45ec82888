import { t } from '../texts/en.ts'
import { createStore, useStore } from './store.ts'

export type Zone = 'local' | 'UTC'

const ZONE_KEY = 'kre-zone'
export const zone = createStore<Zone>(localStorage.getItem(ZONE_KEY) === 'UTC' ? 'UTC' : 'local')
export function setZone(next: Zone): void {
  localStorage.setItem(ZONE_KEY, next)
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

/** `full` has the zone's name. */
export function formatMoment(
  at: string,
  in_: Zone,
  detail: 'minutes' | 'seconds' | 'full',
): string {
  const options: Intl.DateTimeFormatOptions = {
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(detail === 'minutes' ? {} : { second: '2-digit' }),
    ...(detail === 'full' ? { timeZoneName: 'short' as const } : {}),
    ...(in_ === 'UTC' ? { timeZone: 'UTC' } : {}),
  }
  return new Intl.DateTimeFormat('en-GB', options).format(new Date(at))
}

/** Hours, minutes, seconds and milliseconds: for lines of a log. */
export function formatClock(at: string, in_: Zone): string {
  return new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    ...(in_ === 'UTC' ? { timeZone: 'UTC' } : {}),
  }).format(new Date(at))
}
