import { useEffect, useRef } from 'react'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import type { DetailsPlace } from './details-place.ts'
import { EdgeDetails } from './edge-details.tsx'
import { nameOf } from './graph-model.ts'
import { NodeDetails } from './node-details.tsx'

type GraphDetailsProps = DetailsPlace & { selected: string }

/** What was clicked: a node or an edge, with the way to all that is known of it. */
export function GraphDetails(props: GraphDetailsProps) {
  const { graph, selected, onSelect } = props
  const heading = useRef<HTMLHeadingElement>(null)
  // Whoever opened it with the keyboard is taken there; Escape leads back.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [selected])
  const node = graph.nodes.find(({ id }) => id === selected)
  const edge = graph.edges.find(({ id }) => id === selected)
  if (node === undefined && edge === undefined) return null
  return (
    <aside
      className="details"
      aria-label={t.graph.details}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onSelect(null)
      }}
    >
      <div className="details-head">
        <h2 ref={heading} tabIndex={-1}>
          {edge === undefined
            ? node?.name
            : `${nameOf(graph, edge.from)} → ${nameOf(graph, edge.to)}`}
        </h2>
        <Button kind="quiet" onClick={() => onSelect(null)}>
          {t.common.close}
        </Button>
      </div>
      {edge === undefined ? (
        node !== undefined && <NodeDetails {...props} node={node} />
      ) : (
        <EdgeDetails {...props} edge={edge} />
      )}
    </aside>
  )
}
