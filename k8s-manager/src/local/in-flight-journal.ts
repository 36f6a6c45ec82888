import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  fusedWorkPath,
  IN_FLIGHT_FILE,
  type InFlightCall,
  type NodeMember,
  type NodeSpec,
  parseInFlight,
} from '@kre/contracts'

/** The calls that are inside a handler of one node, or were when its process died. */
export type NodeCalls = { readonly node: NodeMember; readonly calls: readonly InFlightCall[] }

/** The calls of every node of a replica's process. */
export function readInFlight(spec: NodeSpec, workPath: string): NodeCalls[] {
  const fused = (spec.fused ?? []).map((node, index) => ({
    node,
    calls: readFile(fusedWorkPath(workPath, index)),
  }))
  return [{ node: spec, calls: readFile(workPath) }, ...fused]
}

function readFile(workPath: string): InFlightCall[] {
  const path = join(workPath, IN_FLIGHT_FILE)
  return existsSync(path) ? parseInFlight(readFileSync(path, 'latin1')) : []
}
