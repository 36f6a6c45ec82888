import { Fragment } from 'react'
import { Link } from 'wouter'
import type { ActivitiesResult, AuditOutcome } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { DataTable } from '../ui/data-table.tsx'
import { Moment } from '../ui/moment.tsx'

type Activity = ActivitiesResult['userActivityList'][number]

/** Told in columns of their own. */
const HIDDEN = new Set(['COMMENT', 'OUTCOME', 'ERROR_CODE'])
/** What was done is the rule, and has no colour. */
const OUTCOME_CHIPS: Readonly<Record<Exclude<AuditOutcome, 'SUCCEEDED'>, string>> = {
  REFUSED: 'warning',
  FAILED: 'error',
  UNKNOWN: 'warning',
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
              <Subject activity={item} />
            </>
          ),
        },
        {
          key: 'outcome',
          title: t.audit.outcome,
          cell: ({ outcome, errorCode, isGenuine }) => (
            <>
              {outcome === 'SUCCEEDED' ? (
                t.audit.outcomes[outcome]
              ) : (
                <span className={`chip chip-${OUTCOME_CHIPS[outcome]}`}>
                  {t.audit.outcomes[outcome]}
                </span>
              )}
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

/** What it was about, as far as KRE's words say it; a version leads to all that was done to it, also when it is gone. */
function Subject({ activity: { vars } }: { activity: Activity }) {
  const valueOf = (name: string): string => vars.find(({ key }) => key === name)?.value ?? ''
  const place = { runtime: valueOf('RUNTIME_ID'), version: valueOf('VERSION_ID') }
  const shown = vars.filter(
    ({ key, value }, index) =>
      value !== '' &&
      !HIDDEN.has(key) &&
      !key.endsWith('VERSION_ID') &&
      vars.findIndex((other) => other.value === value) === index,
  )
  return (
    <p className="faint">
      {shown.map(({ key, value }, index) => (
        <Fragment key={key}>
          {index > 0 && ' · '}
          {key === 'VERSION_NAME' && place.version !== '' ? (
            <Link href={paths.audit(place)} title={t.audit.onlyVersion(value)}>
              {value}
            </Link>
          ) : (
            value
          )}
        </Fragment>
      ))}
    </p>
  )
}
