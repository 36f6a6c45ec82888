/** Moving about in a drawn graph by the keyboard. Pure. */
import type { WorkflowGraph } from './graph-model.ts'
import type { Place } from './layout-graph.ts'

/**
 * Where an arrow leads from a node: right and left along the messages, to the nearest of several; up and down to the
 * nearest node beside it. Null = there is none in that direction.
 */
export function nextNode(
  { edges }: WorkflowGraph,
  places: ReadonlyMap<string, Place>,
  from: string,
  key: string,
): string | null {
  const here = places.get(from)
  if (here === undefined) return null
  const distance = (id: string): number => {
    const place = places.get(id)
    return place === undefined ? Infinity : Math.hypot(place.x - here.x, place.y - here.y)
  }
  const nearest = (ids: readonly string[]): string | null =>
    ids.toSorted((a, b) => distance(a) - distance(b))[0] ?? null
  const beside = (isThere: (place: Place) => boolean): string | null =>
    nearest([...places].flatMap(([id, at]) => (at.x === here.x && isThere(at) ? [id] : [])))
  switch (key) {
    case 'ArrowRight':
      return nearest(edges.flatMap((edge) => (edge.from === from ? [edge.to] : [])))
    case 'ArrowLeft':
      return nearest(edges.flatMap((edge) => (edge.to === from ? [edge.from] : [])))
    case 'ArrowUp':
      return beside(({ y }) => y < here.y)
    case 'ArrowDown':
      return beside(({ y }) => y > here.y)
    default:
      return null
  }
}
