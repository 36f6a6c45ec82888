import {
  BaseEdge,
  EdgeLabelRenderer,
  getBezierPath,
  type Edge,
  type EdgeProps,
} from '@xyflow/react'
import { memo } from 'react'
import { formatRate } from '../ui/format.ts'
import { useGraph } from './graph-context.ts'
import type { GraphEdge } from './graph-model.ts'
import { useIsFar } from './use-is-far.ts'
import { edgeKey, useEdgeTotal } from './traffic.ts'

export type MessageEdgeType = Edge<{ edge: GraphEdge }, 'message'>

/** Messages from one node to another: its channels, and how many go that way. */
export const MessageEdge = memo(function MessageEdge(props: EdgeProps<MessageEdgeType>) {
  const { data, selected } = props
  const { workflowId, traffic } = useGraph()
  const total = useEdgeTotal(traffic, edgeKey(workflowId, props.source, props.target))
  const [path, labelX, labelY] = getBezierPath(props)
  const isFar = useIsFar()
  const isActive = (total?.calls ?? 0) > 0
  const channels = data?.edge.channels ?? []
  const rate = isActive ? formatRate(total?.rate) : ''
  const classes = [
    'flow',
    isActive ? 'flow-active' : '',
    isFar ? 'flow-far' : '',
    selected ? 'flow-selected' : '',
  ]
  return (
    <>
      <BaseEdge path={path} className={classes.filter(Boolean).join(' ')} />
      {!isFar && (channels.length > 0 || rate !== '') && (
        <EdgeLabelRenderer>
          <div
            className={`flow-label ${(total?.errors ?? 0) > 0 ? 'bad' : ''}`}
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
          >
            {channels.length > 0 && <span className="channel">{channels.join(', ')}</span>}
            {rate}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
})
