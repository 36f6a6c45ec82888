import { KreError } from '@kre/contracts'
import { z } from 'zod'

const Moment = z.iso.datetime({ offset: true })

export type DateRange = { readonly from: Date; readonly to: Date }

/**
 * A range of dates as the API takes it.
 *
 * @param names of the two arguments, for messages.
 * @param end in place of an absent end.
 * @throws KreError `invalid-argument` for what is no date, and for an end before the begin.
 */
export function parseRange(
  from: string,
  to: string | null | undefined,
  end: Date,
  names: readonly [from: string, to: string] = ['from', 'to'],
): DateRange {
  const range = {
    from: parseMoment(from, names[0]),
    to: to === null || to === undefined ? end : parseMoment(to, names[1]),
  }
  if (range.to.getTime() >= range.from.getTime()) return range
  throw new KreError('invalid-argument', `${names[1]} is before ${names[0]}`, { field: names[1] })
}

function parseMoment(text: string, field: string): Date {
  const parsed = Moment.safeParse(text)
  const date = new Date(parsed.success ? parsed.data : Number.NaN)
  if (!Number.isNaN(date.getTime())) return date
  throw new KreError(
    'invalid-argument',
    `${field} is not a date: use one as in 2026-01-31T12:00:00Z`,
    { field },
  )
}
