/** Times as form fields have them (`2026-01-31`, `2026-01-31T12:00`), in the zone that the page shows. Pure. */
import type { Zone } from './moment.tsx'

const MINUTE_MS = 60_000
const DAY = /^(\d{4})-(\d\d)-(\d\d)$/
const MINUTE = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)(?::\d\d(?:\.\d+)?)?$/

/** @param at RFC 3339. @returns what a field for a date and a time takes; empty for what is no time. */
export function toMinuteField(at: string, in_: Zone): string {
  const ms = Date.parse(at)
  if (Number.isNaN(ms)) return ''
  const shown = in_ === 'UTC' ? ms : ms - new Date(ms).getTimezoneOffset() * MINUTE_MS
  return new Date(shown).toISOString().slice(0, '2026-01-31T12:00'.length)
}

/** @returns RFC 3339 in UTC; null while the field is not filled. */
export function fromMinuteField(text: string, in_: Zone): string | null {
  const [, day = '', hours, minutes] = MINUTE.exec(text) ?? []
  const begin = beginOfDay(day, in_)
  if (begin === null) return null
  // By the clock: a day on which the clock is changed has another length.
  if (in_ === 'UTC') begin.setUTCHours(Number(hours), Number(minutes))
  else begin.setHours(Number(hours), Number(minutes))
  return begin.toISOString()
}

/**
 * The begin of a day, with the zone that it is a day of: `2026-01-31T00:00:00+09:00`.
 *
 * @returns empty for what is no day.
 */
export function zonedDay(day: string, in_: Zone): string {
  const begin = beginOfDay(day, in_)
  if (begin === null) return ''
  const east = in_ === 'UTC' ? 0 : -begin.getTimezoneOffset()
  const [hours, minutes] = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60]
  const offset = `${east < 0 ? '-' : '+'}${twoDigits(hours)}:${twoDigits(minutes)}`
  return `${day}T00:00:00${east === 0 ? 'Z' : offset}`
}

function beginOfDay(day: string, in_: Zone): Date | null {
  const [, year, month, date] = DAY.exec(day) ?? []
  if (year === undefined) return null
  const parts = [Number(year), Number(month) - 1, Number(date)] as const
  const begin = in_ === 'UTC' ? new Date(Date.UTC(...parts)) : new Date(...parts)
  // 31 February would be a day of March.
  const [shownMonth, shownDate] =
    in_ === 'UTC' ? [begin.getUTCMonth(), begin.getUTCDate()] : [begin.getMonth(), begin.getDate()]
  return shownMonth === parts[1] && shownDate === parts[2] ? begin : null
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
