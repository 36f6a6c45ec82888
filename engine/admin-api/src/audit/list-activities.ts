import type { AuditLink } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import type { Principal } from '../principal.ts'
import { ANONYMOUS, selectActivities, type Cursor } from './activity-filters.ts'
import { parseOutcomeBody, type ActivityVar, type OutcomeBody } from './audit-record.ts'
import { auditedRuntimes } from './visible-runtimes.ts'

/** Rows of one page, as in KRE. */
export const PAGE_ROWS = 30

export type Activity = {
  id: string
  type: string
  actor: string
  date: Date
  vars: readonly ActivityVar[]
  /** Null when the record was changed so that it can't be read any more. */
  record: OutcomeBody | null
  /** False = not as the engine wrote it. */
  isGenuine: boolean
}

/**
 * What people did and tried to do, newest first, 30 rows from the one after `lastId` on.
 *
 * @throws KreError `permission-denied`, `invalid-argument`.
 */
export async function listActivities(
  deps: Pick<FeatureDeps, 'audit' | 'runtimes' | 'isGenuine'>,
  { principal, filters }: { principal: Principal; filters: unknown },
): Promise<Activity[]> {
  const visible = await auditedRuntimes(deps, principal)
  const { query, after } = selectActivities(filters)
  const wanted = query.runtimeIds
  const runtimeIds =
    visible === null ? wanted : visible.filter((id) => wanted === undefined || wanted.includes(id))
  // Each link has a row at least, so so many links are enough; the one of the cursor may have none left.
  const links = await deps.audit.outcomes({
    ...query,
    ...(runtimeIds === undefined ? {} : { runtimeIds }),
    limit: PAGE_ROWS + 1,
  })
  return links
    .flatMap((link) => activitiesOf(link, deps.isGenuine(link)))
    .filter(({ id }) => after === null || isAfter(id, after))
    .slice(0, PAGE_ROWS)
}

/** One per row of the link: a change of several settings has several. */
function activitiesOf(link: AuditLink, isGenuine: boolean): Activity[] {
  const record = parseOutcomeBody(link.body)
  return (record?.rows ?? [[]]).map((vars, row) => ({
    id: row === 0 ? String(link.seq) : `${link.seq}.${row}`,
    type: link.type,
    actor: link.actor === '' ? ANONYMOUS : link.actor,
    date: link.at,
    vars,
    record,
    isGenuine,
  }))
}

function isAfter(id: string, cursor: Cursor): boolean {
  const [seq, row] = id.split('.').map(Number)
  return seq !== cursor.seq || (row ?? 0) > cursor.row
}
