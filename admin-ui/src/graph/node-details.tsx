import { Link } from 'wouter'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { StatusChip } from '../ui/status-chip.tsx'
import { FigureTable } from './figure-table.tsx'
import { useGraph } from './graph-context.ts'
import type { DetailsPlace } from './details-place.ts'
import { ENTRYPOINT_ID, nameOf, type GraphEdge, type GraphNode } from './graph-model.ts'
import { NodeHistory } from './node-history.tsx'
import { NodeRequests } from './node-requests.tsx'
import { nodeFigure } from './traffic.ts'

/** A node, or the entrypoint: how it is, what it does now and did lately, and where to look further. */
export function NodeDetails(props: DetailsPlace & { node: GraphNode }) {
  const { runtimeId, versionName, graph, node, onSelect } = props
  const { workflowId } = useGraph()
  const place = { runtimeId, versionName }
  const isEntrypoint = node.id === ENTRYPOINT_ID
  return (
    <>
      {node.status !== null && (
        <p>
          <StatusChip status={node.status} />{' '}
          {t.graph.replicasReady(node.replicasReady, node.replicas)}
          {node.restarts > 0 && ` · ${t.graph.restarts(node.restarts)}`}
        </p>
      )}
      {node.statusReason !== '' && <p>{node.statusReason}</p>}
      <p className="row">
        <Link href={paths.logs(runtimeId, versionName, { node: node.id })}>{t.graph.logs}</Link>
        <Link href={paths.configuration(runtimeId, versionName)}>{t.graph.configuration}</Link>
        <Link href={`${paths.requests(runtimeId, versionName)}?workflow=${workflowId}`}>
          {t.graph.requests}
        </Link>
      </p>
      <FigureTable
        figure={nodeFigure(workflowId, node.id)}
        kind={isEntrypoint ? 'entrypoint' : 'node'}
      />
      <NodeHistory {...place} workflowId={workflowId} nodeId={node.id} />
      <NodeRequests {...place} workflowId={workflowId} nodeId={node.id} />
      <Neighbours
        title={t.graph.comesFrom}
        edges={graph.edges.filter(({ to }) => to === node.id)}
        nameOf={({ from }) => nameOf(graph, from)}
        onSelect={onSelect}
      />
      <Neighbours
        title={t.graph.goesTo}
        edges={graph.edges.filter(({ from }) => from === node.id)}
        nameOf={({ to }) => nameOf(graph, to)}
        onSelect={onSelect}
      />
    </>
  )
}

type NeighboursProps = {
  title: string
  edges: readonly GraphEdge[]
  nameOf: (edge: GraphEdge) => string
  onSelect: (id: string) => void
}

/** Edges are thin: here each of them can be reached with the keyboard, too. */
function Neighbours({ title, edges, nameOf: name, onSelect }: NeighboursProps) {
  if (edges.length === 0) return null
  return (
    <div>
      <h3>{title}</h3>
      <ul className="neighbours">
        {edges.map((edge) => (
          <li key={edge.id}>
            <button type="button" className="link" onClick={() => onSelect(edge.id)}>
              {name(edge)}
            </button>{' '}
            <span className="faint">{edge.channels.join(', ')}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
