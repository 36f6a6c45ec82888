import { Handle, Position, type Node, type NodeProps } from '@xyflow/react'
import { memo } from 'react'
import { t } from '../texts/en.ts'
import { formatMs, formatRate } from '../ui/format.ts'
import { useGraph } from './graph-context.ts'
import { ENTRYPOINT_ID, type GraphNode } from './graph-model.ts'
import { useIsFar } from './use-is-far.ts'
import { useNodeTotal, type Total } from './traffic.ts'

export type CardNode = Node<{ node: GraphNode }, 'card'>

/** One node of the drawn graph: state, replicas, and what the last seconds were like. */
export const NodeCard = memo(function NodeCard({ data, selected }: NodeProps<CardNode>) {
  const { node } = data
  const { workflowId, traffic } = useGraph()
  const total = useNodeTotal(traffic, workflowId, node.id)
  const isFar = useIsFar()
  const isEntrypoint = node.id === ENTRYPOINT_ID
  const state = isEntrypoint ? 'entrypoint' : (node.status ?? 'STOPPED').toLowerCase()
  return (
    <div
      className={`card card-${state} ${selected ? 'card-selected' : ''} ${isFar ? 'card-far' : ''}`}
    >
      {!isEntrypoint && <Handle type="target" position={Position.Left} isConnectable={false} />}
      <div className="card-head">
        <span className={`dot dot-${state}`} aria-hidden="true" />
        <strong className="card-name" title={node.name}>
          {node.name}
        </strong>
        {isFar ? null : isEntrypoint ? (
          <span className="card-mark">{t.graph.entrypoint}</span>
        ) : (
          <span className={isShort(node) ? 'card-mark bad' : 'card-mark'}>
            {node.replicasReady}/{node.replicas}
          </span>
        )}
      </div>
      {isFar ? <FarFigures total={total} /> : <Figures total={total} isEntrypoint={isEntrypoint} />}
      {!isFar && (
        <div className="card-foot">
          {node.isExitpoint && <span className="tag">{t.graph.exitpoint}</span>}
          {node.restarts > 0 && <span className="tag bad">{t.graph.restarts(node.restarts)}</span>}
          {node.statusReason !== '' && (
            <span className="card-reason" title={node.statusReason}>
              {node.statusReason}
            </span>
          )}
        </div>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
})

/** Fewer replicas take messages than are wanted now. */
function isShort({ status, replicas, replicasReady }: GraphNode): boolean {
  return status !== 'STOPPED' && replicasReady < replicas
}

function Figures({ total, isEntrypoint }: { total: Total | undefined; isEntrypoint: boolean }) {
  const latency = isEntrypoint ? total?.duration : total?.handler
  const errors = total?.errors ?? 0
  return (
    <dl className="card-figures">
      <div>
        <dt>{t.graph.rate}</dt>
        <dd>{formatRate(total?.rate)}</dd>
      </div>
      <div>
        <dt>p50</dt>
        <dd>{formatMs(latency?.p50)}</dd>
      </div>
      <div>
        <dt>p99</dt>
        <dd>{formatMs(latency?.p99)}</dd>
      </div>
      <div className={errors > 0 ? 'bad' : ''}>
        <dt>{t.graph.errors}</dt>
        <dd>{errors}</dd>
      </div>
    </dl>
  )
}

/** What can be read from far away: how much goes on, and whether anything fails. */
function FarFigures({ total }: { total: Total | undefined }) {
  if (total === undefined || total.calls === 0) return null
  return (
    <p className="card-far-figures">
      {formatRate(total.rate)}
      {total.errors > 0 && <span className="bad"> {t.graph.errorCount(total.errors)}</span>}
    </p>
  )
}
