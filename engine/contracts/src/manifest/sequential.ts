/** Workflows of the first generation: a line through nodes that are declared once for all workflows. */
import { ENTRYPOINT } from '../names.ts'
import { checkCount } from './check-limits.ts'
import { createNodeDirectory, type NodeDirectory } from './check-subscriptions.ts'
import type { DocumentPath } from './document-path.ts'
import type { GraphNode, WorkflowGraph } from './graph.ts'
import type { Report } from './issue-collector.ts'
import { NODES_MAX, WORKFLOWS_MAX } from './limits.ts'
import { suggestName } from './nearest-name.ts'
import { normaliseNode, type NodeContext, type PlainNode } from './normalise-node.ts'
import type { WorkflowHead } from './read-workflows.ts'
import type { Draft, ManifestV1, SequentialDraft } from './schema.ts'
import { checkName, checkUniqueNames } from './slug.ts'

/** The declared nodes, and which of them some workflow has used so far. */
export type SharedNodes = {
  nodes: readonly {
    plain: PlainNode
    name: string | undefined
    id: string | null
    path: DocumentPath
  }[]
  directory: NodeDirectory
  used: Set<number>
  /** Some declaration was refused, so that a name may be known to the author and not to us. */
  isBroken: boolean
}

export function readSharedNodes(
  drafts: Draft<ManifestV1>['nodes'],
  context: NodeContext,
): SharedNodes {
  const { report } = context
  const what = { path: ['nodes'], subject: '', noun: 'nodes' }
  checkCount(drafts, NODES_MAX * WORKFLOWS_MAX, what, report)
  const nodes = (drafts ?? []).flatMap((draft, i) => {
    if (draft === undefined) return []
    const path = ['nodes', i]
    const id = checkName(draft.name, 'node', [...path, 'name'], report)
    return [{ plain: normaliseNode(draft, id ?? '', path, context), name: draft.name, id, path }]
  })
  checkUniqueNames(
    nodes.flatMap(({ name, id, path }) =>
      name === undefined || id === null ? [] : [{ name, id, path: [...path, 'name'] }],
    ),
    'node',
    '',
    report,
  )
  const directory = createNodeDirectory(
    '',
    nodes.map(({ name, id }) => ({ name, id, channels: null })),
  )
  const isBroken = drafts === undefined || nodes.length < drafts.length
  return { nodes, directory, used: new Set(), isBroken }
}

/** Every use of a shared node is a node of its own, which listens to the one before it. */
export function readSequence(
  draft: SequentialDraft,
  shared: SharedNodes,
  head: WorkflowHead,
  report: Report,
): Pick<WorkflowGraph, 'nodes' | 'exitpoint'> {
  const { sequential } = draft
  const path = [...head.path, 'sequential']
  const subject = `workflow "${head.name}": `
  if (sequential?.length === 0) {
    const message = `${subject}"sequential" lists no node`
    report.add({ code: 'SEQUENTIAL_EMPTY', path, message, hint: 'list the nodes in their order' })
  }
  checkCount(sequential, NODES_MAX, { path, subject, noun: 'nodes' }, report)
  const nodes: GraphNode[] = []
  const places = new Map<number, DocumentPath>()
  for (const [i, name] of (sequential ?? []).entries()) {
    if (name === undefined) continue
    const itemPath = [...path, i]
    const index = shared.directory.indexes.get(name)
    const declared = index === undefined ? undefined : shared.nodes[index]
    if (index === undefined || declared === undefined) {
      reportUnknown(name, itemPath, subject, shared, report)
      continue
    }
    shared.used.add(index)
    const first = places.get(index)
    if (first !== undefined) {
      const message = `${subject}node "${name.slice(0, 60)}" is listed twice: ${report.place(first)} and ${report.place(itemPath)}`
      const hint = 'declare the code a second time under another name'
      report.add({ code: 'NAME_DUPLICATE', path: itemPath, message, hint })
      continue
    }
    places.set(index, itemPath)
    const from = nodes.at(-1)?.id ?? ENTRYPOINT
    nodes.push({ ...declared.plain, subscriptions: [{ from, channel: null, durability: 'fast' }] })
  }
  return { nodes, exitpoint: nodes.at(-1)?.id ?? '' }
}

function reportUnknown(
  name: string,
  path: DocumentPath,
  subject: string,
  { directory, isBroken }: SharedNodes,
  report: Report,
): void {
  const otherwise = isBroken ? 'correct the list of nodes first' : 'declare it under nodes'
  report.add({
    code: 'SEQUENTIAL_UNKNOWN',
    path,
    message: `${subject}node "${name.slice(0, 60)}" is not defined`,
    ...suggestName(name, directory.names, otherwise),
  })
}

export function reportUnusedNodes(shared: SharedNodes, report: Report): void {
  for (const [i, { name, path }] of shared.nodes.entries()) {
    if (shared.used.has(i) || name === undefined) continue
    const message = `node "${name.slice(0, 60)}" is used by no workflow`
    const hint = 'list it in a workflow, or remove it'
    report.add({ code: 'NODE_UNUSED', path, message, hint })
  }
}
