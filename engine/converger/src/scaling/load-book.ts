/** What processes say of the load of nodes, for as long as it can be believed. */
import { SECOND_MS } from '@kre/contracts'
import type { NodeLoad } from './plan-scale.ts'

/** A process at work reports every second: of one that was not heard for so long nothing is known. */
const BUSY_HEARD_MS = 4 * SECOND_MS
/** One without work reports every 30 s. */
const IDLE_HEARD_MS = 35 * SECOND_MS
/** Of one node: more than its replicas while they are rolled. What processes say is foreign input. */
const PROCESSES_MAX = 500
/** In flight at one process, as far as it is believed. */
const VALUE_MAX = 1_000_000

/** The gauges of a node's process that tell its load. */
export const LOAD_GAUGES = {
  kre_node_in_flight_messages: 'inFlight',
  kre_node_queue_age_seconds: 'queueAgeS',
} as const
type Gauge = (typeof LOAD_GAUGES)[keyof typeof LOAD_GAUGES]

type Said = Record<Gauge, number> & { at: number }

export type HeardLoad = NodeLoad & {
  /** That were heard of just now. */
  readonly processes: number
}

export type LoadBook = {
  /** Nodes that are gone. */
  forget(nodes: readonly string[]): void
  /** @param value of the gauge; what is no amount counts as 0. */
  put(node: string, process: string, gauge: Gauge, value: number): void
  read(node: string): HeardLoad
}

/**
 * @param now monotonic ms.
 * @param isKnown what is said of others is not heard.
 */
export function createLoadBook(now: () => number, isKnown: (node: string) => boolean): LoadBook {
  const nodes = new Map<string, Map<string, Said>>()

  const forgetStale = (processes: Map<string, Said>) => {
    for (const [id, { at, inFlight }] of processes)
      if (now() - at > (inFlight > 0 ? BUSY_HEARD_MS : IDLE_HEARD_MS)) processes.delete(id)
  }

  return {
    forget(gone) {
      for (const node of gone) nodes.delete(node)
    },
    put(node, process, gauge, value) {
      if (!isKnown(node)) return
      const processes = nodes.get(node) ?? new Map<string, Said>()
      nodes.set(node, processes)
      let said = processes.get(process)
      if (said === undefined) {
        if (processes.size >= PROCESSES_MAX) forgetStale(processes)
        if (processes.size >= PROCESSES_MAX) return
        said = { inFlight: 0, queueAgeS: 0, at: now() }
        processes.set(process, said)
      }
      said[gauge] = value > 0 ? Math.min(value, VALUE_MAX) : 0
      said.at = now()
    },
    read(node) {
      const processes = nodes.get(node)
      if (processes !== undefined) forgetStale(processes)
      const all = [...(processes?.values() ?? [])]
      return {
        processes: all.length,
        inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
        queueAgeMs: Math.max(0, ...all.map(({ queueAgeS }) => queueAgeS * SECOND_MS)),
      }
    },
  }
}
