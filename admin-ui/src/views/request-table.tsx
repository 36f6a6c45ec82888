import type { RecentRequestsResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { DataTable } from '../ui/data-table.tsx'
import { formatBytes, formatMs } from '../ui/format.ts'
import { Moment } from '../ui/moment.tsx'
import { Face } from '../ui/query-view.tsx'
import { RowLink } from '../ui/row-link.tsx'

type Request = RecentRequestsResult['recentRequests'][number]
type RequestTableProps = {
  runtimeId: string
  versionName: string
  requests: readonly Request[]
}

/** Requests that were kept, newest first; a row leads to where the time of one went. */
export function RequestTable({ runtimeId, versionName, requests }: RequestTableProps) {
  return (
    <DataTable
      label={t.requests.title}
      rows={requests}
      keyOf={({ id }) => id}
      empty={<Face title={t.requests.emptyTitle} text={t.requests.empty} />}
      columns={[
        {
          key: 'when',
          title: t.requests.when,
          kind: 'name',
          cell: ({ id, startDate }) => (
            <RowLink href={paths.request(runtimeId, versionName, id)}>
              <Moment at={startDate} seconds />
            </RowLink>
          ),
          sortBy: ({ startDate }) => startDate,
        },
        { key: 'workflow', title: t.graph.workflow, cell: ({ workflowId }) => workflowId },
        {
          key: 'outcome',
          title: t.requests.outcome,
          cell: ({ status, message }) => (
            <>
              <span className={status === 'OK' ? '' : 'bad'}>{status}</span>
              {message !== '' && <p className="faint clamp">{message}</p>}
            </>
          ),
          sortBy: ({ status }) => status,
        },
        {
          key: 'took',
          title: t.requests.took,
          kind: 'number',
          cell: ({ elapsedMs }) => formatMs(elapsedMs),
          sortBy: ({ elapsedMs }) => elapsedMs,
        },
        {
          key: 'handlers',
          title: t.requests.inHandlers,
          kind: 'number',
          cell: ({ handlerMs }) => formatMs(handlerMs),
          sortBy: ({ handlerMs }) => handlerMs,
        },
        {
          key: 'size',
          title: t.requests.size,
          kind: 'number',
          cell: ({ requestBytes }) => formatBytes(requestBytes),
          sortBy: ({ requestBytes }) => requestBytes,
        },
        {
          key: 'kept',
          title: t.requests.kept,
          cell: ({ kept }) => t.requests.reasons[kept],
          sortBy: ({ kept }) => t.requests.reasons[kept],
        },
      ]}
    />
  )
}
