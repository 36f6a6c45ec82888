import { join } from 'node:path'
import {
  fusedWorkPath,
  MiB,
  IN_FLIGHT_FILE,
  type InFlightCall,
  type NodeMember,
  type NodeSpec,
  parseInFlight,
} from '@kre/contracts'

import { readUntrustedFile } from './read-untrusted-file.ts'

/** Far more than the calls that a node can have at once. */
const JOURNAL_BYTES_MAX = 4 * MiB

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
  const content = readUntrustedFile(join(workPath, IN_FLIGHT_FILE), JOURNAL_BYTES_MAX)
  return content === null ? [] : parseInFlight(content.toString('latin1'))
}
