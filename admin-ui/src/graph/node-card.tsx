import { Handle, Position, type Node, type NodeProps } from '@xyflow/react'
import { memo } from 'react'
import { t } from '../texts/en.ts'
import {
  errorsText,
  hasErrors,
  hasQueue,
  isPast,
  queuedText,
  rateText,
  someRateText,
  timeTexts,
} from './figure-texts.ts'
import { useGraph } from './graph-context.ts'
import { ENTRYPOINT_ID, type GraphNode } from './graph-model.ts'
import { LiveText } from './live-text.tsx'
import { nodeFigure } from './traffic.ts'
import { useFigure } from './use-traffic.ts'
import { useIsFar } from './use-is-far.ts'

export type CardNode = Node<{ node: GraphNode; isFused: boolean }, 'card'>

/** One node of the drawn graph: state, replicas, and what the last seconds were like. */
export const NodeCard = memo(function NodeCard({ data, selected }: NodeProps<CardNode>) {
  const { node } = data
  const isFar = useIsFar()
  const isEntrypoint = node.id === ENTRYPOINT_ID
  const state = isEntrypoint ? 'entrypoint' : (node.status ?? 'STOPPED').toLowerCase()
  const classes = [
    'card',
    `card-${state}`,
    selected ? 'card-selected' : '',
    isFar ? 'card-far' : '',
  ]
  return (
    <div className={classes.filter(Boolean).join(' ')}>
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
      {isFar ? <FarFigures id={node.id} /> : <Figures id={node.id} />}
      {!isFar && <Foot {...data} />}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
})

/** Fewer replicas take messages than are wanted now. */
function isShort({ status, replicas, replicasReady }: GraphNode): boolean {
  return status !== 'STOPPED' && replicasReady < replicas
}

function Foot({ node, isFused }: CardNode['data']) {
  return (
    <div className="card-foot">
      {node.isExitpoint && <span className="tag">{t.graph.exitpoint}</span>}
      {isFused && <span className="tag">{t.graph.sharedProcess}</span>}
      {node.restarts > 0 && <span className="tag bad">{t.graph.restarts(node.restarts)}</span>}
      {node.statusReason !== '' && (
        <span className="card-reason" title={node.statusReason}>
          {node.statusReason}
        </span>
      )}
    </div>
  )
}

function Figures({ id }: { id: string }) {
  const { workflowId } = useGraph()
  const figure = nodeFigure(workflowId, id)
  const isEntrypoint = id === ENTRYPOINT_ID
  const times = isEntrypoint ? timeTexts.duration : timeTexts.handler
  const past = useFigure(figure, isPast) ? 'is-past' : ''
  const isBad = useFigure(figure, hasErrors)
  const isWaiting = useFigure(figure, hasQueue)
  return (
    <dl className="card-figures">
      <div>
        <dt>{t.graph.rate}</dt>
        <dd>
          <LiveText figure={figure} read={rateText} />
        </dd>
      </div>
      <div className={past}>
        <dt>p50</dt>
        <dd>
          <LiveText figure={figure} read={times.p50} />
        </dd>
      </div>
      <div className={past}>
        <dt>p99</dt>
        <dd>
          <LiveText figure={figure} read={times.p99} />
        </dd>
      </div>
      {!isEntrypoint && (
        <div className={isWaiting ? 'warn' : ''}>
          <dt>{t.graph.queued}</dt>
          <dd>
            <LiveText figure={figure} read={queuedText} />
          </dd>
        </div>
      )}
      <div className={isBad ? 'bad' : ''}>
        <dt>{t.graph.errors}</dt>
        <dd>
          <LiveText figure={figure} read={errorsText} />
        </dd>
      </div>
    </dl>
  )
}

/** The worse of two: there is room for one. */
const troubleText: typeof someRateText = (figures) => {
  const { errors = 0, queued = 0 } = figures ?? {}
  if (errors > 0) return t.graph.errorCount(errors)
  return queued > 0 ? t.graph.queuedCount(queued) : ''
}

/** What can be read from far away: how much goes on, and whether anything waits or fails. */
function FarFigures({ id }: { id: string }) {
  const { workflowId } = useGraph()
  const figure = nodeFigure(workflowId, id)
  const isBad = useFigure(figure, hasErrors)
  return (
    <p className="card-far-figures">
      <LiveText figure={figure} read={someRateText} />{' '}
      <span className={isBad ? 'bad' : 'warn'}>
        <LiveText figure={figure} read={troubleText} />
      </span>
    </p>
  )
}
