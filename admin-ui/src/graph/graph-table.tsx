import { memo } from 'react'
import { t } from '../texts/en.ts'
import { StatusChip } from '../ui/status-chip.tsx'
import { TableFrame } from '../ui/table-frame.tsx'
import {
  errorsText,
  hasErrors,
  hasQueue,
  isPast,
  queuedText,
  rateText,
  timeTexts,
} from './figure-texts.ts'
import { useGraph } from './graph-context.ts'
import { ENTRYPOINT_ID, nameOf, type GraphNode, type WorkflowGraph } from './graph-model.ts'
import { GraphTableOfEdges } from './graph-table-of-edges.tsx'
import { LiveText } from './live-text.tsx'
import { nodeFigure } from './traffic.ts'
import { useFigure } from './use-traffic.ts'

type GraphTableProps = { graph: WorkflowGraph; onSelect: (id: string) => void }

/** All that the picture says, as tables. */
export function GraphTable({ graph, onSelect }: GraphTableProps) {
  return (
    <div className="stack">
      <TableFrame label={t.graph.tableCaption}>
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
                {t.graph.queued}
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
                sources={sourcesOf(graph, node.id)}
                onSelect={onSelect}
              />
            ))}
          </tbody>
        </table>
      </TableFrame>
      <GraphTableOfEdges graph={graph} onSelect={onSelect} />
    </div>
  )
}

function sourcesOf(graph: WorkflowGraph, id: string): string {
  const own = graph.edges.filter(({ to }) => to === id)
  return own
    .map(({ from, channels }) =>
      [nameOf(graph, from), channels.length > 0 ? `(${channels.join(', ')})` : ''].join(' ').trim(),
    )
    .join(', ')
}

type RowProps = { node: GraphNode; sources: string; onSelect: (id: string) => void }

const Row = memo(function Row({ node, sources, onSelect }: RowProps) {
  const { workflowId } = useGraph()
  const figure = nodeFigure(workflowId, node.id)
  const isEntrypoint = node.id === ENTRYPOINT_ID
  const times = isEntrypoint ? timeTexts.duration : timeTexts.handler
  const past = useFigure(figure, isPast) ? 'number is-past' : 'number'
  const isWaiting = useFigure(figure, hasQueue)
  const isBad = useFigure(figure, hasErrors)
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
      <td>{sources}</td>
      <td className="number">{isEntrypoint ? '–' : `${node.replicasReady}/${node.replicas}`}</td>
      <td className="number">
        <LiveText figure={figure} read={rateText} />
      </td>
      <td className={past}>
        <LiveText figure={figure} read={times.p50} />
      </td>
      <td className={past}>
        <LiveText figure={figure} read={times.p99} />
      </td>
      <td className={past}>
        <LiveText figure={figure} read={timeTexts.queue.p50} />
      </td>
      <td className={isWaiting ? 'number warn' : 'number'}>
        {isEntrypoint ? '–' : <LiveText figure={figure} read={queuedText} />}
      </td>
      <td className={isBad ? 'number bad' : 'number'}>
        <LiveText figure={figure} read={errorsText} />
      </td>
    </tr>
  )
})
