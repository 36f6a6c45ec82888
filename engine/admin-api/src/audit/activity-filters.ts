import { DAY_MS, KreError } from '@kre/contracts'
import type { AuditQuery } from '@kre/store'
import { z } from 'zod'
import { ACTIVITY_TYPES } from './activity-types.ts'

/** Entries of one list of a filter; more than a screen can show is a mistake. */
const LIST_MAX = 200
/** Name of the user of records whose actor proved nothing; no address looks like it. */
export const ANONYMOUS = 'anonymous'

const WRITTEN_DATE = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/i

const written = z.string().refine((text) => isDate(text), {
  error: 'use a date as in 2026-01-31T12:00:00Z or 2026-01-31',
})
/** Absent and null mean "all"; an empty list of KRE's clients does, too. */
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .max(LIST_MAX)
    .nullish()
    .transform((items) => (items === null || items?.length === 0 ? undefined : items))

/** Filters as GraphQL and the export's address send them. */
const ActivityFilters = z.object({
  userEmail: z.string().max(320).nullish(),
  types: list(z.enum(ACTIVITY_TYPES)),
  versionIds: list(z.string().max(100)),
  runtimeIds: list(z.string().max(100)),
  fromDate: written.nullish(),
  toDate: written.nullish(),
  lastId: z
    .string()
    .regex(/^[1-9]\d{0,14}(\.\d{1,4})?$/, 'it is no id of an activity')
    .nullish(),
})

/** The last row of the page before: a link, and the place among its rows. */
export type Cursor = { seq: number; row: number }
export type ActivitySelection = { query: Omit<AuditQuery, 'limit'>; after: Cursor | null }

/** @throws KreError `invalid-argument` with the field and its rule. */
export function selectActivities(input: unknown): ActivitySelection {
  const parsed = ActivityFilters.safeParse(input)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const field = issue?.path.join('.') ?? 'filters'
    throw new KreError('invalid-argument', `${field}: ${issue?.message ?? 'not legal'}`, { field })
  }
  const { userEmail, types, versionIds, runtimeIds, fromDate, toDate, lastId } = parsed.data
  const after = cursorOf(lastId ?? null)
  return {
    query: {
      ...(userEmail === null || userEmail === undefined ? {} : { actor: actorOf(userEmail) }),
      ...(types === undefined ? {} : { types }),
      ...(versionIds === undefined ? {} : { versionIds }),
      ...(runtimeIds === undefined ? {} : { runtimeIds }),
      ...(fromDate === null || fromDate === undefined ? {} : { from: startOf(fromDate) }),
      ...(toDate === null || toDate === undefined ? {} : { to: endOfDay(toDate) }),
      ...(after === null ? {} : { beforeSeq: after.seq + 1 }),
    },
    after,
  }
}

/** The last millisecond of the day that is written, in the zone it is written in. */
export function endOfDay(text: string): Date {
  const [, day = '', zone = 'Z'] = WRITTEN_DATE.exec(text) ?? []
  return new Date(new Date(`${day}T00:00:00${zone}`).getTime() + DAY_MS - 1)
}

function startOf(text: string): Date {
  return new Date(text.length === '2026-01-31'.length ? `${text}T00:00:00Z` : text)
}

function isDate(text: string): boolean {
  return WRITTEN_DATE.test(text) && !Number.isNaN(startOf(text).getTime())
}

/** An empty address is nobody's, and so are those that nobody has. */
function actorOf(email: string): string {
  const actor = email.trim().toLowerCase()
  if (actor === ANONYMOUS) return ''
  return actor === '' ? '<nobody>' : actor
}

function cursorOf(lastId: string | null): Cursor | null {
  if (lastId === null) return null
  const [seq, row] = lastId.split('.')
  return { seq: Number(seq), row: Number(row ?? 0) }
}
