import { memo } from 'react'
import { t } from '../texts/en.ts'
import { TableFrame } from '../ui/table-frame.tsx'
import { errorsText, hasErrors, isPast, rateText, timeTexts } from './figure-texts.ts'
import { useGraph } from './graph-context.ts'
import { nameOf, type GraphEdge, type WorkflowGraph } from './graph-model.ts'
import { LiveText } from './live-text.tsx'
import { edgeFigure } from './traffic.ts'
import { useFigure } from './use-traffic.ts'

type GraphTableOfEdgesProps = { graph: WorkflowGraph; onSelect: (id: string) => void }

/** The lines of the picture: what goes from where to where, and how. */
export function GraphTableOfEdges({ graph, onSelect }: GraphTableOfEdgesProps) {
  return (
    <TableFrame label={t.graph.edgesCaption}>
      <table>
        <caption className="hidden-text">{t.graph.edgesCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{t.graph.messages}</th>
            <th scope="col">{t.graph.way}</th>
            <th scope="col" className="number">
              {t.graph.rate}
            </th>
            <th scope="col" className="number">
              {t.graph.transport} p50
            </th>
            <th scope="col" className="number">
              p99
            </th>
            <th scope="col" className="number">
              {t.graph.errors}
            </th>
          </tr>
        </thead>
        <tbody>
          {graph.edges.map((edge) => (
            <Row
              key={edge.id}
              edge={edge}
              name={`${nameOf(graph, edge.from)} → ${nameOf(graph, edge.to)}`}
              onSelect={onSelect}
            />
          ))}
        </tbody>
      </table>
    </TableFrame>
  )
}

type RowProps = { edge: GraphEdge; name: string; onSelect: (id: string) => void }

const Row = memo(function Row({ edge, name, onSelect }: RowProps) {
  const { workflowId } = useGraph()
  const figure = edgeFigure(workflowId, edge.from, edge.to)
  const past = useFigure(figure, isPast) ? 'number is-past' : 'number'
  const isBad = useFigure(figure, hasErrors)
  return (
    <tr>
      <th scope="row">
        <button type="button" className="link" onClick={() => onSelect(edge.id)}>
          {name}
        </button>
        {edge.channels.length > 0 && <p className="faint">{edge.channels.join(', ')}</p>}
      </th>
      <td>{edge.isFused ? t.graph.kinds.fused : t.graph.kinds[edge.durability]}</td>
      <td className="number">
        <LiveText figure={figure} read={rateText} />
      </td>
      <td className={past}>
        <LiveText figure={figure} read={timeTexts.transport.p50} />
      </td>
      <td className={past}>
        <LiveText figure={figure} read={timeTexts.transport.p99} />
      </td>
      <td className={isBad ? 'number bad' : 'number'}>
        <LiveText figure={figure} read={errorsText} />
      </td>
    </tr>
  )
})
