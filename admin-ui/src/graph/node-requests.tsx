import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { NodeRequests as NodeRequestsQuery } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { ErrorNote } from '../ui/error-note.tsx'
import { formatMs } from '../ui/format.ts'
import { Moment } from '../ui/moment.tsx'
import { ENTRYPOINT_ID } from './graph-model.ts'

/** Kept requests of the workflow that are looked through, and of those that are shown. */
const LOOKED_AT = 40
const SHOWN = 5

type NodeRequestsProps = {
  runtimeId: string
  versionName: string
  workflowId: string
  nodeId: string
}

/** Requests that were kept as examples and went through a node, newest first. */
export function NodeRequests({ runtimeId, versionName, workflowId, nodeId }: NodeRequestsProps) {
  const query = useQuery(NodeRequestsQuery, {
    runtimeId,
    versionName,
    filters: { workflow: workflowId, limit: LOOKED_AT },
  })
  const isEntrypoint = nodeId === ENTRYPOINT_ID
  const all = query.data?.recentRequests ?? []
  const own = all.flatMap((request) => {
    const step = request.steps.find((one) => one.nodeId === nodeId)
    if (step === undefined && !isEntrypoint) return []
    const tookMs = isEntrypoint ? request.elapsedMs : (step?.handlerMs ?? 0)
    return [
      { ...request, tookMs, isBad: isEntrypoint ? request.status !== 'OK' : step?.ok === false },
    ]
  })
  return (
    <div>
      <h3>{t.graph.lastRequests}</h3>
      {query.error !== null && <ErrorNote error={query.error} />}
      {query.data !== undefined && own.length === 0 && (
        <p className="faint">{t.graph.noRequests}</p>
      )}
      <ul className="neighbours">
        {own.slice(0, SHOWN).map((request) => (
          <li key={request.id}>
            <Link href={paths.request(runtimeId, versionName, request.id)}>
              <Moment at={request.startDate} seconds />
            </Link>{' '}
            <span className={request.isBad ? 'bad' : 'faint'}>
              {formatMs(request.tookMs)}
              {request.isBad && ` · ${isEntrypoint ? request.status : t.requests.handlerFailed}`}
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
