/** The nodes and edges of a workflow of the second generation. */
import { checkGraph } from './check-graph.ts'
import { checkCount } from './check-limits.ts'
import {
  createNodeDirectory,
  readSubscriptions,
  type NodeDirectory,
} from './check-subscriptions.ts'
import type { GraphNode, WorkflowGraph } from './graph.ts'
import { NODES_MAX } from './limits.ts'
import { suggestName } from './nearest-name.ts'
import { normaliseNode, type NodeContext } from './normalise-node.ts'
import type { WorkflowHead } from './read-workflows.ts'
import type { WorkflowDraft } from './schema.ts'
import { checkName, checkUniqueNames } from './slug.ts'

export function readGraphWorkflow(
  draft: WorkflowDraft,
  head: WorkflowHead,
  context: NodeContext,
): Pick<WorkflowGraph, 'nodes' | 'exitpoint'> {
  const { report } = context
  const subject = `workflow "${head.name}": `
  const listPath = [...head.path, 'nodes']
  if (draft.nodes?.length === 0)
    report.add({
      code: 'FIELD_REQUIRED',
      path: listPath,
      message: `${subject}"nodes" lists no node`,
    })
  checkCount(draft.nodes, NODES_MAX, { path: listPath, subject, noun: 'nodes' }, report)
  const declared = (draft.nodes ?? []).flatMap((node, i) => {
    if (node === undefined) return []
    const path = [...listPath, i]
    const id = checkName(node.name, 'node', [...path, 'name'], report)
    const label = node.name?.slice(0, 60) ?? String(i + 1)
    return [{ draft: node, path, id, label, plain: normaliseNode(node, id ?? '', path, context) }]
  })
  checkUniqueNames(
    declared.flatMap(({ draft: { name }, id, path }) =>
      name === undefined || id === null ? [] : [{ name, id, path: [...path, 'name'] }],
    ),
    'node',
    ` in workflow "${head.name}"`,
    report,
  )
  const directory = createNodeDirectory(
    head.name,
    declared.map(({ draft: { name }, id, plain }) => ({ name, id, channels: plain.channels })),
  )
  const wired = declared.map(({ path, label, ...node }, index) => ({
    ...node,
    path,
    name: label,
    ...readSubscriptions(node.draft.subscriptions, directory, {
      index,
      subject: `node "${label}": `,
      path,
      report,
    }),
    isRevisited: node.draft.maxRevisits !== undefined,
  }))
  const exitpoint = findExitpoint(draft, directory, head, context)
  // A list with holes has nodes that nobody knows, so nothing can be said about the ways through it.
  if (declared.length === draft.nodes?.length)
    checkGraph({ workflow: head.name, nodes: wired, exitpoint }, report)
  return {
    nodes: wired.map(({ plain, subscriptions }): GraphNode => ({ ...plain, subscriptions })),
    exitpoint: exitpoint === null ? '' : (directory.ids[exitpoint.index] ?? ''),
  }
}

function findExitpoint(
  draft: WorkflowDraft,
  directory: NodeDirectory,
  head: WorkflowHead,
  { report }: NodeContext,
): { index: number; path: readonly (string | number)[] } | null {
  if (draft.exitpoint === undefined) return null
  const path = [...head.path, 'exitpoint']
  const index = directory.indexes.get(draft.exitpoint)
  if (index !== undefined) return { index, path }
  const message = `workflow "${head.name}": the exitpoint "${draft.exitpoint.slice(0, 60)}" is none of its nodes`
  report.add({
    code: 'EXITPOINT_UNKNOWN',
    path,
    message,
    ...suggestName(draft.exitpoint, directory.names),
  })
  return null
}
