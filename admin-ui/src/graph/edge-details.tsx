import { t } from '../texts/en.ts'
import { EdgeSamples } from './edge-samples.tsx'
import { FigureTable } from './figure-table.tsx'
import { useGraph } from './graph-context.ts'
import type { DetailsPlace } from './details-place.ts'
import { nameOf, type GraphEdge } from './graph-model.ts'
import { edgeFigure } from './traffic.ts'

/** What goes from one node to another, and how it gets there. */
export function EdgeDetails(props: DetailsPlace & { edge: GraphEdge }) {
  const { runtimeId, versionName, graph, edge, onSelect } = props
  const { workflowId } = useGraph()
  return (
    <>
      {edge.channels.length > 0 && <p>{t.graph.channels(edge.channels.join(', '))}</p>}
      <p className="faint">{edge.isFused ? t.graph.kinds.fused : t.graph.kinds[edge.durability]}</p>
      <FigureTable figure={edgeFigure(workflowId, edge.from, edge.to)} kind="edge" />
      <p className="row">
        {[edge.from, edge.to].map((id) => (
          <button key={id} type="button" className="link" onClick={() => onSelect(id)}>
            {nameOf(graph, id)}
          </button>
        ))}
      </p>
      <EdgeSamples
        runtimeId={runtimeId}
        versionName={versionName}
        workflowId={workflowId}
        edge={edge}
      />
    </>
  )
}
