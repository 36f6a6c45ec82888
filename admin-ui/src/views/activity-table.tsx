import type { ActivitiesResult, AuditOutcome } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { DataTable } from '../ui/data-table.tsx'
import { Moment } from '../ui/moment.tsx'

type Activity = ActivitiesResult['userActivityList'][number]

/** Told in columns of their own. */
const HIDDEN = new Set(['COMMENT', 'OUTCOME', 'ERROR_CODE'])
const OUTCOME_CHIPS: Readonly<Record<AuditOutcome, string>> = {
  SUCCEEDED: 'started',
  REFUSED: 'stopped',
  FAILED: 'error',
  UNKNOWN: 'starting',
}

/** Rows of the audit log, in the order of the engine: sorting one page of it otherwise would say little. */
export function ActivityTable({ items }: { items: readonly Activity[] }) {
  return (
    <DataTable
      label={t.audit.title}
      rows={items}
      keyOf={({ id }) => id}
      columns={[
        { key: 'when', title: t.audit.when, cell: ({ date }) => <Moment at={date} seconds /> },
        {
          key: 'who',
          title: t.audit.who,
          kind: 'name',
          cell: ({ user, address }) => (
            <>
              {user.email}
              <p className="faint">{address}</p>
            </>
          ),
        },
        {
          key: 'what',
          title: t.audit.what,
          cell: (item) => (
            <>
              {t.audit.types[item.type] ?? item.operation}
              <p className="faint">{subjectOf(item)}</p>
            </>
          ),
        },
        {
          key: 'outcome',
          title: t.audit.outcome,
          cell: ({ outcome, errorCode, isGenuine }) => (
            <>
              <span className={`chip chip-${OUTCOME_CHIPS[outcome]}`}>
                {t.audit.outcomes[outcome]}
              </span>
              {errorCode !== null && <p className="faint">{errorCode}</p>}
              {!isGenuine && <p className="bad">{t.audit.notGenuine}</p>}
            </>
          ),
        },
        { key: 'why', title: t.audit.why, cell: ({ comment }) => comment },
      ]}
    />
  )
}

/** What it was about, as far as KRE's words say it. */
function subjectOf({ vars }: Activity): string {
  const values = vars
    .filter(({ key, value }) => value !== '' && !HIDDEN.has(key) && !key.endsWith('VERSION_ID'))
    .map(({ value }) => value)
  return [...new Set(values)].join(' · ')
}
