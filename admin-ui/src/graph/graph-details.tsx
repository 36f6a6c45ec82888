import { Link } from 'wouter'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { formatMs, formatRate } from '../ui/format.ts'
import { StatusChip } from '../ui/status-chip.tsx'
import type { Store } from '../ui/store.ts'
import { ENTRYPOINT_ID, type WorkflowGraph } from './graph-model.ts'
import { edgeKey, useEdgeTotal, useNodeTotal, type Total, type TrafficView } from './traffic.ts'

type GraphDetailsProps = {
  runtimeId: string
  versionName: string
  workflowId: string
  graph: WorkflowGraph
  traffic: Store<TrafficView>
  selected: string
  onClose: () => void
}

/** What was clicked: a node or an edge, with the way to its logs and requests. */
export function GraphDetails(props: GraphDetailsProps) {
  const { graph, selected, onClose } = props
  const node = graph.nodes.find(({ id }) => id === selected)
  const edge = graph.edges.find(({ id }) => id === selected)
  if (node === undefined && edge === undefined) return null
  return (
    <aside className="details" aria-label={t.graph.details}>
      <div className="details-head">
        <h2>
          {node?.name ?? `${nameOf(graph, edge?.from ?? '')} → ${nameOf(graph, edge?.to ?? '')}`}
        </h2>
        <Button kind="quiet" onClick={onClose}>
          {t.common.close}
        </Button>
      </div>
      {node === undefined ? <EdgeFacts {...props} /> : <NodeDetails {...props} />}
    </aside>
  )
}

function NodeDetails({
  runtimeId,
  versionName,
  workflowId,
  graph,
  traffic,
  selected,
}: GraphDetailsProps) {
  const total = useNodeTotal(traffic, workflowId, selected)
  const node = graph.nodes.find(({ id }) => id === selected)
  if (node === undefined) return null
  return (
    <>
      {node.status !== null && (
        <p>
          <StatusChip status={node.status} />{' '}
          {t.graph.replicasReady(node.replicasReady, node.replicas)}
        </p>
      )}
      {node.statusReason !== '' && <p>{node.statusReason}</p>}
      <Facts total={total} isEntrypoint={selected === ENTRYPOINT_ID} />
      <p className="row">
        <Link href={paths.logs(runtimeId, versionName, { node: selected })}>{t.graph.logs}</Link>
        <Link href={paths.requests(runtimeId, versionName)}>{t.graph.requests}</Link>
      </p>
    </>
  )
}

function EdgeFacts({ workflowId, graph, traffic, selected }: GraphDetailsProps) {
  const edge = graph.edges.find(({ id }) => id === selected)
  const total = useEdgeTotal(traffic, edgeKey(workflowId, edge?.from ?? '', edge?.to ?? ''))
  return (
    <>
      {edge !== undefined && edge.channels.length > 0 && (
        <p>{t.graph.channels(edge.channels.join(', '))}</p>
      )}
      <Facts total={total} isEntrypoint={false} />
    </>
  )
}

/** Of the last five seconds. */
function Facts({ total, isEntrypoint }: { total: Total | undefined; isEntrypoint: boolean }) {
  if (total === undefined) return <p className="faint">{t.graph.noTraffic}</p>
  const times = isEntrypoint
    ? ([
        [t.graph.duration, total.duration],
        [t.graph.overhead, total.overhead],
      ] as const)
    : ([
        [t.graph.transport, total.transport],
        [t.graph.queue, total.queue],
        [t.graph.handler, total.handler],
      ] as const)
  return (
    <table className="facts">
      <tbody>
        <tr>
          <th scope="row">{t.graph.rate}</th>
          <td colSpan={2}>{formatRate(total.rate)}</td>
        </tr>
        <tr>
          <th scope="row">{t.graph.errors}</th>
          <td colSpan={2}>{total.errors}</td>
        </tr>
        <tr>
          <td />
          <th scope="col">p50</th>
          <th scope="col">p99</th>
        </tr>
        {times.map(([name, latency]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{formatMs(latency?.p50)}</td>
            <td>{formatMs(latency?.p99)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function nameOf(graph: WorkflowGraph, id: string): string {
  return graph.nodes.find((node) => node.id === id)?.name ?? id
}
