import { useEffect, useState } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { Activities, type ActivitiesResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Page } from '../ui/page.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Loading } from '../ui/query-view.tsx'
import { ActivityTable } from './activity-table.tsx'

type Activity = ActivitiesResult['userActivityList'][number]

/** Of a page, as the API has it. */
const PAGE_ITEMS = 30

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
