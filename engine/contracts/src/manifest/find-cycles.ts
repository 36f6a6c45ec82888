/**
 * One cycle out of every group of nodes that reach each other: the shortest through its first node.
 *
 * @param next the nodes after each node.
 * @returns cycles as node indexes in the direction of `next`, each node once; empty when there are none.
 */
export function findCycles(next: readonly (readonly number[])[]): number[][] {
  const groupOf = findGroups(next)
  const done = new Set<number>()
  return next.flatMap((_, start): number[][] => {
    const group = groupOf[start] ?? -1
    if (done.has(group)) return []
    done.add(group)
    const cycle = findWayBack(next, start, (node) => groupOf[node] === group)
    return cycle === null ? [] : [cycle]
  })
}

/** Breadth first, so the first way back to `start` is a shortest one; null when none leads back. */
function findWayBack(
  next: readonly (readonly number[])[],
  start: number,
  isInside: (node: number) => boolean,
): number[] | null {
  const cameFrom = new Map<number, number>()
  const pending = [start]
  for (let i = 0; i < pending.length; i++) {
    const node = pending[i] ?? start
    for (const neighbour of next[node] ?? []) {
      if (neighbour === start) return trace(cameFrom, start, node)
      if (!isInside(neighbour) || cameFrom.has(neighbour)) continue
      cameFrom.set(neighbour, node)
      pending.push(neighbour)
    }
  }
  return null
}

function trace(cameFrom: ReadonlyMap<number, number>, start: number, end: number): number[] {
  const way = [end]
  for (let node = end; node !== start;) {
    node = cameFrom.get(node) ?? start
    way.push(node)
  }
  return way.toReversed()
}

/** Tarjan's strongly connected components without recursion: the group of each node. */
function findGroups(next: readonly (readonly number[])[]): number[] {
  const order = next.map(() => -1)
  const low = next.map(() => 0)
  const group = next.map(() => -1)
  const open: number[] = []
  let visited = 0
  let groups = 0
  const enter = (node: number, stack: { node: number; edge: number }[]) => {
    order[node] = low[node] = visited++
    open.push(node)
    stack.push({ node, edge: 0 })
  }
  for (const root of next.keys()) {
    if (order[root] !== -1) continue
    const stack: { node: number; edge: number }[] = []
    enter(root, stack)
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const { node } = frame
      const neighbour = next[node]?.[frame.edge++]
      if (neighbour !== undefined) {
        if (order[neighbour] === -1) enter(neighbour, stack)
        else if (group[neighbour] === -1) low[node] = Math.min(low[node]!, order[neighbour]!)
        continue
      }
      stack.pop()
      const parent = stack.at(-1)?.node
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[node]!)
      if (low[node] !== order[node]) continue
      for (let member = -1; member !== node;) {
        member = open.pop()!
        group[member] = groups
      }
      groups++
    }
  }
  return group
}
