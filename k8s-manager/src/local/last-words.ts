/** What a replica's process left behind when it ended. */
import type { NodeMember, Workload } from '@kre/contracts'
import { maskConfig } from '@kre/service-kit/masking'
import type { Ending } from './ending-reason.ts'
import { readInFlight } from './in-flight-journal.ts'
import { readOutputTail } from './output-file.ts'
import type { ProcessRecord, ReplicaPaths } from './state-files.ts'

type Dead = { readonly paths: ReplicaPaths; readonly workload: Workload }

/** The end of its output, without configured values that it may have printed: reasons are shown and stored. */
export function lastWords({ paths, workload }: Dead, { outputStart }: ProcessRecord): string {
  const { spec } = workload
  const output = readOutputTail(paths.output, outputStart)
  if (spec.kind === 'entrypoint') return output
  return [spec, ...(spec.fused ?? [])].reduce((text, one) => maskConfig(one.config)(text), output)
}

/** The requests that a death found inside each node; nodes with some come first, as they alone can be to blame. */
export function interruptedAt({
  workload,
  paths,
}: Dead): { node: NodeMember; interrupted: string[] }[] {
  if (workload.spec.kind !== 'node') return []
  return readInFlight(workload.spec, paths.work)
    .map(({ node, calls }) => ({
      node,
      interrupted: [...new Set(calls.map(({ requestId }) => requestId))],
    }))
    .toSorted((a, b) => b.interrupted.length - a.interrupted.length)
}

/** By itself, or by a SIGTERM that came before it could listen for one. */
export function endedAsAsked(ending: Ending): boolean {
  switch (ending.kind) {
    case 'exit':
      return ending.code === 0
    case 'signal':
      return ending.signal === 'SIGTERM'
    case 'unobserved':
      return true
  }
}

/** The file of a node's handler; null = an entrypoint. */
export function sourceOf({ spec }: Workload): string | null {
  return spec.kind === 'node' ? spec.src : null
}
