import { useEffect, useState } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { Activities, type ActivitiesResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Page } from '../ui/page.tsx'
import { Face, Loading } from '../ui/query-view.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { Twin } from '../ui/twin.tsx'
import { ActivityTable } from './activity-table.tsx'
import { AuditFilter, NOTHING_CHOSEN, type AuditChoice } from './audit-filter.tsx'

type Activity = ActivitiesResult['userActivityList'][number]

/** Of a page, as the API has it. */
const PAGE_ITEMS = 30

/** What people did and tried to do, newest first. */
export function AuditView() {
  const [choice, setChoice] = useState(NOTHING_CHOSEN)
  const [items, setItems] = useState<readonly Activity[]>([])
  const [hasMore, setMore] = useState(false)
  const [isLoading, setLoading] = useState(true)
  const [error, setError] = useState<ApiError | null>(null)

  async function load(before: readonly Activity[], wanted: AuditChoice): Promise<void> {
    setLoading(true)
    setError(null)
    try {
      const { userActivityList: page } = await runOperation(Activities, {
        lastId: before.at(-1)?.id,
        userEmail: wanted.email || undefined,
        types: wanted.type === '' ? undefined : [wanted.type],
        fromDate: wanted.from || undefined,
        toDate: wanted.to || undefined,
      })
      setItems([...before, ...page])
      setMore(page.length === PAGE_ITEMS)
    } catch (thrown) {
      setError(toApiError(thrown))
    }
    setLoading(false)
  }
  useEffect(() => void load([], NOTHING_CHOSEN), [])

  return (
    <Page title={t.audit.title}>
      <AuditFilter
        onChoose={(wanted) => {
          setChoice(wanted)
          void load([], wanted)
        }}
      />
      {error !== null && <ErrorNote error={error} />}
      {items.length > 0 && <ActivityTable items={items} />}
      {items.length === 0 && !isLoading && error === null && (
        <Face title={t.audit.emptyTitle} text={t.audit.empty} />
      )}
      {isLoading ? (
        <Loading />
      ) : (
        hasMore && (
          <div>
            <Button onClick={() => void load(items, choice)}>{t.audit.more}</Button>
          </div>
        )
      )}
      <Twin text={cliTwin(choice)} />
    </Page>
  )
}

function cliTwin({ email, type, from, to }: AuditChoice): string {
  return [
    'krectl audit list',
    ...(email === '' ? [] : [`--user ${shellWord(email)}`]),
    ...(type === '' ? [] : [`--type ${type}`]),
    ...(from === '' ? [] : [`--from ${from}`]),
    ...(to === '' ? [] : [`--to ${to}`]),
  ].join(' ')
}
