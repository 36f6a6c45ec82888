import { useEffect, useState } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { Activities, type ActivitiesResult, type AuditOutcome } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Page } from '../ui/page.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Loading } from '../ui/query-view.tsx'

type Activity = ActivitiesResult['userActivityList'][number]

/** Of a page, as the API has it. */
const PAGE_ITEMS = 30
/** Told in columns of their own. */
const HIDDEN = new Set(['COMMENT', 'OUTCOME', 'ERROR_CODE'])
const OUTCOME_CHIPS: Readonly<Record<AuditOutcome, string>> = {
  SUCCEEDED: 'started',
  REFUSED: 'stopped',
  FAILED: 'error',
  UNKNOWN: 'starting',
}

/** What people did and tried to do, newest first. */
export function AuditView() {
  const [email, setEmail] = useState('')
  const [items, setItems] = useState<readonly Activity[]>([])
  const [hasMore, setMore] = useState(false)
  const [isLoading, setLoading] = useState(true)
  const [error, setError] = useState<ApiError | null>(null)

  async function load(before: readonly Activity[], wanted: string): Promise<void> {
    setLoading(true)
    setError(null)
    try {
      const { userActivityList: page } = await runOperation(Activities, {
        lastId: before.at(-1)?.id,
        userEmail: wanted === '' ? undefined : wanted,
      })
      setItems([...before, ...page])
      setMore(page.length === PAGE_ITEMS)
    } catch (thrown) {
      setError(toApiError(thrown))
    }
    setLoading(false)
  }
  useEffect(() => void load([], ''), [])

  return (
    <Page title={t.audit.title}>
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault()
          void load([], email.trim())
        }}
      >
        <Field label={t.audit.who}>
          {(field) => (
            <input {...field} value={email} onChange={(event) => setEmail(event.target.value)} />
          )}
        </Field>
        <Button type="submit">{t.audit.filter}</Button>
      </form>
      {error !== null && <ErrorNote error={error} />}
      {items.length > 0 && <ActivityTable items={items} />}
      {items.length === 0 && !isLoading && error === null && (
        <p className="face">{t.audit.empty}</p>
      )}
      {isLoading ? (
        <Loading />
      ) : (
        hasMore && <Button onClick={() => void load(items, email.trim())}>{t.audit.more}</Button>
      )}
    </Page>
  )
}

function ActivityTable({ items }: { items: readonly Activity[] }) {
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">{t.audit.when}</th>
            <th scope="col">{t.audit.who}</th>
            <th scope="col">{t.audit.what}</th>
            <th scope="col">{t.audit.outcome}</th>
            <th scope="col">{t.audit.why}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.id}>
              <td>
                <Moment at={item.date} seconds />
              </td>
              <th scope="row">
                {item.user.email}
                <p className="faint">{item.address}</p>
              </th>
              <td>
                {t.audit.types[item.type] ?? item.operation}
                <p className="faint">{subjectOf(item)}</p>
              </td>
              <td>
                <span className={`chip chip-${OUTCOME_CHIPS[item.outcome]}`}>
                  {t.audit.outcomes[item.outcome]}
                </span>
                {item.errorCode !== null && <p className="faint">{item.errorCode}</p>}
                {!item.isGenuine && <p className="bad">{t.audit.notGenuine}</p>}
              </td>
              <td>{item.comment}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What it was about, as far as KRE's words say it. */
function subjectOf({ vars }: Activity): string {
  const values = vars
    .filter(({ key, value }) => value !== '' && !HIDDEN.has(key) && !key.endsWith('VERSION_ID'))
    .map(({ value }) => value)
  return [...new Set(values)].join(' · ')
}
