/** How many messages wait at a node, over its replicas. */
import { SECOND_MS } from '@kre/contracts'

/** A process at which something waits says so every second: of one that was not heard for so long nothing waits. */
const HEARD_MS = 3 * SECOND_MS
/** Of one node; what a process says is not believed beyond. */
const QUEUED_MAX = 1_000_000
/** Nodes at which something waits; more of them come from no version. */
const NODES_MAX = 10_000

export type QueueDepths = {
  /**
   * Takes what one process says.
   *
   * @param node any name of its own.
   * @returns what waits at the node in all processes together.
   */
  put(node: string, process: string, queued: number): number
}

/** @param now in ms since 1970. */
export function createQueueDepths(now: () => number): QueueDepths {
  const nodes = new Map<string, Map<string, { queued: number; at: number }>>()

  function forgetSilent(): void {
    for (const [node, processes] of nodes)
      if ([...processes.values()].every(({ at }) => now() - at > HEARD_MS)) nodes.delete(node)
  }

  return {
    put(node, process, queued) {
      let processes = nodes.get(node)
      if (processes === undefined) {
        if (queued <= 0) return 0
        if (nodes.size >= NODES_MAX) forgetSilent()
        if (nodes.size >= NODES_MAX) return 0
        nodes.set(node, (processes = new Map()))
      }
      if (queued > 0) processes.set(process, { queued, at: now() })
      else processes.delete(process)
      let sum = 0
      for (const [id, heard] of processes)
        if (now() - heard.at > HEARD_MS) processes.delete(id)
        else sum += heard.queued
      if (processes.size === 0) nodes.delete(node)
      return Math.min(sum, QUEUED_MAX)
    },
  }
}
