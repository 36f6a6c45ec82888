import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { RecentRequests, type KeptReason, type VersionFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { formatBytes, formatMs } from '../ui/format.ts'
import { Moment } from '../ui/moment.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { useChoices } from '../ui/use-choices.ts'

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
        {({ recentRequests }) =>
          recentRequests.length === 0 ? (
            <Face title={t.requests.emptyTitle} text={t.requests.empty} />
          ) : (
            <div className="table-frame">
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t.requests.when}</th>
                    <th scope="col">{t.graph.workflow}</th>
                    <th scope="col">{t.requests.outcome}</th>
                    <th scope="col" className="number">
                      {t.requests.took}
                    </th>
                    <th scope="col" className="number">
                      {t.requests.inHandlers}
                    </th>
                    <th scope="col" className="number">
                      {t.requests.size}
                    </th>
                    <th scope="col">{t.requests.kept}</th>
                  </tr>
                </thead>
                <tbody>
                  {recentRequests.map((request) => (
                    <tr key={request.id}>
                      <th scope="row">
                        <Link href={paths.request(runtimeId, versionName, request.id)}>
                          <Moment at={request.startDate} seconds />
                        </Link>
                      </th>
                      <td>{request.workflowId}</td>
                      <td>
                        <span className={request.status === 'OK' ? '' : 'bad'}>
                          {request.status}
                        </span>
                        {request.message !== '' && <p className="faint clamp">{request.message}</p>}
                      </td>
                      <td className="number">{formatMs(request.elapsedMs)}</td>
                      <td className="number">{formatMs(request.handlerMs)}</td>
                      <td className="number">{formatBytes(request.requestBytes)}</td>
                      <td>{t.requests.reasons[request.kept]}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </QueryView>
    </section>
  )
}
