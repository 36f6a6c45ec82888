/** What workflows of both generations have in common: names, entrypoints, limits. */
import { checkCount } from './check-limits.ts'
import type { DocumentPath } from './document-path.ts'
import type { WorkflowGraph } from './graph.ts'
import type { Report } from './issue-collector.ts'
import { WORKFLOWS_MAX } from './limits.ts'
import { normaliseLimits } from './normalise-limits.ts'
import { reportUnsupportedOfWorkflow } from './not-supported.ts'
import type { SequentialDraft, WorkflowDraft } from './schema.ts'
import { checkName, checkUniqueNames } from './slug.ts'

/** Whose workflow it is, for messages and paths. */
export type WorkflowHead = { name: string; path: DocumentPath }
type Body = Pick<WorkflowGraph, 'nodes' | 'exitpoint'>

/** @param readBody reads the nodes of one workflow in the way of its generation. */
export function readWorkflows<Item extends WorkflowDraft | SequentialDraft>(
  drafts: readonly (Item | undefined)[] | undefined,
  readBody: (draft: Item, head: WorkflowHead) => Body,
  report: Report,
): WorkflowGraph[] {
  const path = ['workflows']
  if (drafts?.length === 0)
    report.add({ code: 'FIELD_REQUIRED', path, message: '"workflows" lists no workflow' })
  checkCount(drafts, WORKFLOWS_MAX, { path, subject: '', noun: 'workflows' }, report)
  const present = (drafts ?? []).flatMap((draft, i) => (draft === undefined ? [] : [{ draft, i }]))
  const workflows = present.map(({ draft, i }) => {
    const head = { name: draft.name?.slice(0, 60) ?? String(i + 1), path: [...path, i] }
    const id = checkName(draft.name, 'workflow', [...head.path, 'name'], report)
    const subject = `workflow "${head.name}": `
    reportUnsupportedOfWorkflow(draft, { path: head.path, subject, report })
    return {
      id: id ?? '',
      name: draft.name ?? '',
      entrypoint: draft.entrypoint ?? '',
      timeoutMs: draft.timeoutMs ?? null,
      ...(draft.fuse === undefined ? {} : { fuse: draft.fuse }),
      ...normaliseLimits(draft.limits, { path: head.path, subject, report }),
      ...readBody(draft, head),
    }
  })
  const named = workflows.map(({ id, name }, k) => ({
    id,
    name,
    path: [...path, present[k]?.i ?? 0, 'name'],
  }))
  checkUniqueNames(
    named.filter(({ id }) => id !== ''),
    'workflow',
    '',
    report,
  )
  checkUniqueEntrypoints(drafts ?? [], report)
  return workflows
}

/** Two workflows on one rpc would both answer each of its calls. */
function checkUniqueEntrypoints(
  drafts: readonly (WorkflowDraft | SequentialDraft | undefined)[],
  report: Report,
): void {
  const byRpc = new Map<string, { name: string; path: DocumentPath }>()
  for (const [i, draft] of drafts.entries()) {
    if (draft?.entrypoint === undefined) continue
    const { entrypoint } = draft
    const path = ['workflows', i, 'entrypoint']
    const name = draft.name?.slice(0, 60) ?? String(i + 1)
    const first = byRpc.get(entrypoint)
    if (first === undefined) {
      byRpc.set(entrypoint, { name, path })
      continue
    }
    const places = `${report.place(first.path)} and ${report.place(path)}`
    report.add({
      code: 'ENTRYPOINT_DUPLICATE',
      path,
      message: `workflows "${first.name}" and "${name}" have the same entrypoint "${entrypoint.slice(0, 60)}": ${places}`,
      hint: 'give each workflow an rpc of its own',
    })
  }
}
