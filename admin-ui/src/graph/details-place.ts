import type { WorkflowGraph } from './graph-model.ts'

/** Where details of a graph stand, and the way from them to other details. */
export type DetailsPlace = {
  readonly runtimeId: string
  readonly versionName: string
  readonly graph: WorkflowGraph
  /** @param id of a node or an edge; null closes the details. */
  readonly onSelect: (id: string | null) => void
}
