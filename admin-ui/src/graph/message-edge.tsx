import {
  BaseEdge,
  EdgeLabelRenderer,
  getBezierPath,
  type Edge,
  type EdgeProps,
} from '@xyflow/react'
import { memo } from 'react'
import { t } from '../texts/en.ts'
import { hasCalls, hasErrors, someRateText } from './figure-texts.ts'
import { useGraph } from './graph-context.ts'
import type { GraphEdge } from './graph-model.ts'
import { LiveText } from './live-text.tsx'
import { edgeFigure } from './traffic.ts'
import { useFigure } from './use-traffic.ts'
import { useIsFar } from './use-is-far.ts'

export type MessageEdgeType = Edge<{ edge: GraphEdge }, 'message'>

/** Messages from one node to another: how they get there, its channels, and how many go that way. */
export const MessageEdge = memo(function MessageEdge(props: EdgeProps<MessageEdgeType>) {
  const { data, selected } = props
  const { workflowId } = useGraph()
  const figure = edgeFigure(workflowId, props.source, props.target)
  const [path, labelX, labelY] = getBezierPath(props)
  const isFar = useIsFar()
  const isActive = useFigure(figure, hasCalls)
  const isBad = useFigure(figure, hasErrors)
  const edge = data?.edge
  const classes = [
    'flow',
    edge === undefined ? '' : edge.isFused ? 'flow-fused' : `flow-${edge.durability}`,
    isActive ? 'flow-active' : '',
    isFar ? 'flow-far' : '',
    selected ? 'flow-selected' : '',
  ]
  const words = edge === undefined ? [] : wordsOf(edge)
  return (
    <>
      <BaseEdge path={path} className={classes.filter(Boolean).join(' ')} />
      {!isFar && (words.length > 0 || isActive) && (
        <EdgeLabelRenderer>
          <div
            className={isBad ? 'flow-label bad' : 'flow-label'}
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
          >
            {words.length > 0 && <span className="channel">{words.join(', ')}</span>}
            <LiveText figure={figure} read={someRateText} />
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
})

/** Its channels, and where its messages wait on the way if they do. */
function wordsOf({ channels, durability }: GraphEdge): string[] {
  return durability === 'fast' ? [...channels] : [...channels, t.graph.durabilities[durability]]
}
