import { StatusChip } from '../ui/status-chip.tsx'
import { t } from '../texts/en.ts'
import { formatMs, formatRate } from '../ui/format.ts'
import type { Store } from '../ui/store.ts'
import { ENTRYPOINT_ID, type GraphNode, type WorkflowGraph } from './graph-model.ts'
import { useNodeTotal, type TrafficView } from './traffic.ts'

type GraphTableProps = {
  workflowId: string
  graph: WorkflowGraph
  traffic: Store<TrafficView>
  onSelect: (id: string) => void
}

/** All that the picture says, as a table. */
export function GraphTable({ workflowId, graph, traffic, onSelect }: GraphTableProps) {
  const names = new Map(graph.nodes.map(({ id, name }) => [id, name]))
  return (
    <div className="table-frame">
      <table>
        <caption className="hidden-text">{t.graph.tableCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{t.graph.node}</th>
            <th scope="col">{t.graph.state}</th>
            <th scope="col">{t.graph.listensTo}</th>
            <th scope="col" className="number">
              {t.graph.replicas}
            </th>
            <th scope="col" className="number">
              {t.graph.rate}
            </th>
            <th scope="col" className="number">
              p50
            </th>
            <th scope="col" className="number">
              p99
            </th>
            <th scope="col" className="number">
              {t.graph.wait}
            </th>
            <th scope="col" className="number">
              {t.graph.errors}
            </th>
          </tr>
        </thead>
        <tbody>
          {graph.nodes.map((node) => (
            <Row
              key={node.id}
              node={node}
              workflowId={workflowId}
              traffic={traffic}
              onSelect={onSelect}
              sources={graph.edges
                .filter(({ to }) => to === node.id)
                .map(({ from, channels }) =>
                  [names.get(from) ?? from, channels.length > 0 ? `(${channels.join(', ')})` : '']
                    .join(' ')
                    .trim(),
                )}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

type RowProps = Omit<GraphTableProps, 'graph'> & { node: GraphNode; sources: readonly string[] }

function Row({ node, sources, workflowId, traffic, onSelect }: RowProps) {
  const total = useNodeTotal(traffic, workflowId, node.id)
  const isEntrypoint = node.id === ENTRYPOINT_ID
  const latency = isEntrypoint ? total?.duration : total?.handler
  return (
    <tr>
      <th scope="row">
        <button type="button" className="link" onClick={() => onSelect(node.id)}>
          {node.name}
        </button>
        {node.isExitpoint && <span className="tag">{t.graph.exitpoint}</span>}
        {isEntrypoint && <span className="tag">{t.graph.entrypoint}</span>}
      </th>
      <td>
        {node.status !== null && <StatusChip status={node.status} />}
        {node.statusReason !== '' && <p className="faint">{node.statusReason}</p>}
      </td>
      <td>{sources.join(', ')}</td>
      <td className="number">{isEntrypoint ? '–' : `${node.replicasReady}/${node.replicas}`}</td>
      <td className="number">{formatRate(total?.rate)}</td>
      <td className="number">{formatMs(latency?.p50)}</td>
      <td className="number">{formatMs(latency?.p99)}</td>
      <td className="number">{formatMs(total?.queue?.p50)}</td>
      <td className="number">{total?.errors ?? 0}</td>
    </tr>
  )
}
