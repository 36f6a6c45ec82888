import { useQuery } from '../api/use-query.ts'
import { RecentRequests, type KeptReason, type VersionFacts } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { useChoices } from '../ui/use-choices.ts'
import { RequestTable } from './request-table.tsx'

type RequestsTabProps = { runtimeId: string; versionName: string; version: VersionFacts }

const REASONS: readonly KeptReason[] = ['failed', 'slow', 'sample']

/** Requests that the engine kept as examples, with the filters in the address. */
export function RequestsTab({ runtimeId, versionName, version }: RequestsTabProps) {
  const [search, set] = useChoices()
  const kept = REASONS.find((reason) => reason === search.get('kept'))
  const workflow = search.get('workflow')
  const query = useQuery(RecentRequests, {
    runtimeId,
    versionName,
    filters: {
      limit: 200,
      ...(kept === undefined ? {} : { kept: [kept] }),
      ...(workflow === null ? {} : { workflow }),
    },
  })
  return (
    <section aria-label={t.requests.title}>
      <div className="toolbar">
        <label>
          {t.requests.kept}{' '}
          <select value={kept ?? ''} onChange={(event) => set('kept', event.target.value)}>
            <option value="">{t.requests.all}</option>
            {REASONS.map((reason) => (
              <option key={reason} value={reason}>
                {t.requests.reasons[reason]}
              </option>
            ))}
          </select>
        </label>
        {version.workflows.length > 1 && (
          <label>
            {t.graph.workflow}{' '}
            <select
              value={workflow ?? ''}
              onChange={(event) => set('workflow', event.target.value)}
            >
              <option value="">{t.requests.all}</option>
              {version.workflows.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <Button onClick={() => void query.refresh()} isBusy={query.isLoading}>
          {t.common.refresh}
        </Button>
      </div>
      <QueryView query={query}>
        {({ recentRequests }) => (
          <RequestTable {...{ runtimeId, versionName }} requests={recentRequests} />
        )}
      </QueryView>
    </section>
  )
}
