/** Whether the models of a manifest's nodes and the messages they get and send fit together. */
import { planTensors, type PlanRequest } from '../model/plan-tensors.ts'
import type { MessageCatalog } from '../model/message-catalog.ts'
import type { PlanProblem } from '../model/plan-problem.ts'
import type { ModelSignature } from '../model/tensor-type.ts'
import { ENTRYPOINT } from '../names.ts'
import type { EntrypointService } from './check-entrypoint.ts'
import type { DocumentPath } from './document-path.ts'
import type { GraphNode, WorkflowGraph } from './graph.ts'
import { resolveRunner, type ImageRules } from './image.ts'
import type { IssueCode } from './issue-codes.ts'
import type { Report } from './issue-collector.ts'
import type { CommonDraft, NodeDraft } from './schema.ts'
import { NO_TENSORS } from './tensors.ts'

/** What was read of the bundle for its model nodes. */
export type ModelFacts = {
  readonly catalog: MessageCatalog
  /** By path of the model: what it reads and gives, or why it can't be read. */
  readonly signatures: ReadonlyMap<string, ModelSignature | { readonly problem: string }>
}

const CODES: Readonly<Record<PlanProblem['what'], IssueCode>> = {
  message: 'MODEL_MESSAGE',
  tensor: 'MODEL_TENSOR',
  field: 'MODEL_FIELD',
}

export function checkModels(
  workflows: readonly WorkflowGraph[],
  draft: CommonDraft & { workflows?: unknown; nodes?: unknown },
  known: { models: ModelFacts; service: EntrypointService; images: ImageRules },
  report: Report,
): void {
  const unreadable = new Set<string>()
  for (const [i, workflow] of workflows.entries()) {
    const method = known.service.methods.find(({ rpc }) => rpc === workflow.entrypoint)
    if (method === undefined) continue
    for (const node of workflow.nodes) {
      const runner = resolveRunner(node.image, node.src, known.images)
      if (!('runner' in runner) || runner.runner !== 'onnx') continue
      const signature = known.models.signatures.get(node.src)
      if (signature === undefined) continue
      const path = findNode(draft, i, node.name)
      const subject = `node "${node.name.slice(0, 60)}": `
      if ('problem' in signature) {
        if (!unreadable.has(node.src))
          report.add({
            code: 'MODEL_INVALID',
            path: [...path, 'src'],
            message: `${subject}"${node.src.slice(0, 240)}" ${signature.problem}`,
          })
        unreadable.add(node.src)
        continue
      }
      const result = planTensors(requestOf(workflow, node, method, known.models.catalog, signature))
      if (result.ok) continue
      for (const problem of result.problems) reportProblem(problem, path, subject, report)
    }
  }
}

function requestOf(
  workflow: WorkflowGraph,
  node: GraphNode,
  method: { requestType: string; responseType: string },
  catalog: MessageCatalog,
  signature: ModelSignature,
): PlanRequest {
  return {
    signature,
    catalog,
    mapping: node.tensors ?? NO_TENSORS,
    requestType: node.subscriptions.some(({ from }) => from === ENTRYPOINT)
      ? method.requestType
      : null,
    responseType: workflow.exitpoint === node.id ? method.responseType : null,
  }
}

function reportProblem(
  { path: below, what, message, hint }: PlanProblem,
  path: DocumentPath,
  subject: string,
  report: Report,
): void {
  report.add({
    code: CODES[what],
    path: below.length === 0 ? path : [...path, 'tensors', ...below],
    message: `${subject}${message}`,
    ...(hint === undefined || hint === '' ? {} : { hint }),
  })
}

/** Where a node is declared: in its workflow, or in the first generation's list for all workflows. */
function findNode(
  draft: { workflows?: unknown; nodes?: unknown },
  workflow: number,
  name: string,
): DocumentPath {
  const named = (nodes: unknown) =>
    (nodes as (NodeDraft | undefined)[] | undefined)?.findIndex((node) => node?.name === name) ?? -1
  const shared = named(draft.nodes)
  if (shared !== -1) return ['nodes', shared]
  const workflows = draft.workflows as ({ nodes?: unknown } | undefined)[] | undefined
  return ['workflows', workflow, 'nodes', named(workflows?.[workflow]?.nodes)]
}
