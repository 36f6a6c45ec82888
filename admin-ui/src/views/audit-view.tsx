import { useEffect, useState } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { useQuery } from '../api/use-query.ts'
import {
  Activities,
  VersionNames,
  type ActivitiesResult,
  type ActivitiesVariables,
} from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { zone } from '../ui/moment.tsx'
import { Page } from '../ui/page.tsx'
import { Face, Loading } from '../ui/query-view.tsx'
import { useStore } from '../ui/store.ts'
import { Twin } from '../ui/twin.tsx'
import { ActivityTable } from './activity-table.tsx'
import { auditCommand, readAuditChoice, toActivityFilters, toAuditPlace } from './audit-choice.ts'
import { AuditFilter } from './audit-filter.tsx'

type Activity = ActivitiesResult['userActivityList'][number]

/** Of a page, as the API has it. */
const PAGE_ITEMS = 30

/** What people did and tried to do, newest first; which part of it is in the URL. */
export function AuditView() {
  const [search] = useSearchParams()
  const [, navigate] = useLocation()
  const shownZone = useStore(zone)
  const choice = readAuditChoice(search)
  const { runtime, version } = choice
  const names = useQuery(VersionNames, runtime === '' ? null : { runtimeId: runtime }).data
  const name = names?.versions.find(({ id }) => id === version)?.name
  const filters = toActivityFilters(choice, shownZone)
  return (
    <Page title={t.audit.title}>
      <AuditFilter
        choice={choice}
        onChoose={(wanted) => navigate(paths.audit(toAuditPlace(wanted)))}
      />
      <ActivityPages key={JSON.stringify(filters)} filters={filters} />
      <Twin text={auditCommand(choice, name ?? version, shownZone)} />
    </Page>
  )
}

function ActivityPages({ filters }: { filters: ActivitiesVariables }) {
  const [items, setItems] = useState<readonly Activity[]>([])
  const [hasMore, setMore] = useState(false)
  const [isLoading, setLoading] = useState(true)
  const [error, setError] = useState<ApiError | null>(null)

  async function load(before: readonly Activity[]): Promise<void> {
    setLoading(true)
    setError(null)
    try {
      const { userActivityList: page } = await runOperation(Activities, {
        ...filters,
        lastId: before.at(-1)?.id,
      })
      setItems([...before, ...page])
      setMore(page.length === PAGE_ITEMS)
    } catch (thrown) {
      setError(toApiError(thrown))
    }
    setLoading(false)
  }
  useEffect(() => void load([]), [])

  return (
    <>
      {error !== null && <ErrorNote error={error} />}
      {items.length > 0 && <ActivityTable items={items} />}
      {items.length === 0 && !isLoading && error === null && (
        <Face title={t.audit.emptyTitle} text={t.audit.empty} />
      )}
      {isLoading && <Loading />}
      {!isLoading && (hasMore || error !== null) && (
        <div>
          <Button onClick={() => void load(items)}>
            {error === null ? t.audit.more : t.common.retry}
          </Button>
        </div>
      )}
    </>
  )
}
