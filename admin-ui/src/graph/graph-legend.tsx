import { t } from '../texts/en.ts'
import type { GraphEdge, WorkflowGraph } from './graph-model.ts'

/** What the kinds of lines mean, where there is more than one. */
export function GraphLegend({ graph }: { graph: WorkflowGraph }) {
  const kinds = [...new Set(graph.edges.map(kindOf))]
  if (kinds.every((kind) => kind === 'fast')) return null
  return (
    <p className="legend">
      {kinds.map((kind) => (
        <span key={kind}>
          <svg width="30" height="10" aria-hidden="true">
            <path d="M1 5 H29" className={`flow flow-${kind}`} />
          </svg>{' '}
          {t.graph.kinds[kind]}
        </span>
      ))}
    </p>
  )
}

function kindOf({ isFused, durability }: GraphEdge): GraphEdge['durability'] | 'fused' {
  return isFused ? 'fused' : durability
}
