import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { EdgeSamples as EdgeSamplesQuery } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { MessageView } from '../requests-parts/message-view.tsx'
import { SamplingNote } from '../requests-parts/sampling-note.tsx'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Moment } from '../ui/moment.tsx'
import type { GraphEdge } from './graph-model.ts'

type EdgeSamplesProps = {
  runtimeId: string
  versionName: string
  workflowId: string
  edge: GraphEdge
}

/** The last messages of an edge, where somebody asked the engine to keep some. */
export function EdgeSamples({ runtimeId, versionName, workflowId, edge }: EdgeSamplesProps) {
  const query = useQuery(EdgeSamplesQuery, {
    runtimeId,
    versionName,
    workflowId,
    fromNodeId: edge.from,
    toNodeId: edge.to,
  })
  const samples = query.data?.edgeSamples ?? []
  return (
    <div className="stack-tight">
      <div className="details-head">
        <h3>{t.graph.samples}</h3>
        <Button kind="quiet" onClick={() => void query.refresh()} isBusy={query.isLoading}>
          {t.common.refresh}
        </Button>
      </div>
      <SamplingNote runtimeId={runtimeId} versionName={versionName} />
      {query.error !== null && <ErrorNote error={query.error} />}
      {query.data !== undefined && samples.length === 0 && (
        <p className="faint">{t.graph.noSamples}</p>
      )}
      <ul className="samples">
        {samples.map(({ requestId, date, message }) => (
          <li key={`${requestId} ${date}`}>
            <Link href={paths.request(runtimeId, versionName, requestId)}>
              <Moment at={date} seconds />
            </Link>
            <MessageView message={message} />
          </li>
        ))}
      </ul>
    </div>
  )
}
