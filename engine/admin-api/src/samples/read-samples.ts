import { ENTRYPOINT, KreError } from '@kre/contracts'
import { SAMPLES_PER_EDGE_MAX, type KeptRequest, type MessageSample } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, isAllowed, type Principal } from '../principal.ts'
import { quoted } from '../text.ts'
import type { VersionTypes } from '../rpcs/version-types.ts'
import { requireVersion } from '../versions/version-state.ts'
import { createShowMessage, type ShowMessage, type ShownMessage } from './show-message.ts'

type ReadSamplesDeps = Pick<FeatureDeps, 'runtimes' | 'versions' | 'samples'> & {
  versionTypes: VersionTypes
}

export type EdgeSample = {
  readonly requestId: string
  readonly at: Date
  readonly message: ShownMessage
}

/**
 * The last messages of an edge that were kept, newest first. Who may not see contents is told types and sizes.
 *
 * @param query.fromNodeId `<workflow>.<node>`, or `entrypoint`; `toNodeId` alike: answers go to the entrypoint.
 * @throws KreError `not-found`, `invalid-argument` for what is no edge of the workflow.
 */
export async function listEdgeSamples(
  deps: ReadSamplesDeps,
  query: {
    principal: Principal
    runtimeId: string
    versionName: string
    workflowId: string
    fromNodeId: string
    toNodeId: string
  },
): Promise<EdgeSample[]> {
  const { principal, runtimeId, versionName, workflowId } = query
  authorize(principal, 'view traffic', runtimeId)
  const version = await requireVersion(deps, runtimeId, versionName)
  const show = createShowMessage(
    deps.versionTypes(version),
    isAllowed(principal, 'view messages', runtimeId),
  )
  const nodes = version.facts.manifest.workflows.find(({ id }) => id === workflowId)?.nodes ?? []
  const nodeOf = (nodeId: string): string => {
    const node = nodes.find(({ id }) => `${workflowId}.${id}` === nodeId)
    if (node !== undefined) return node.id
    throw new KreError(
      'invalid-argument',
      `workflow ${quoted(workflowId)} of version ${quoted(versionName)} has no node ${quoted(nodeId)}: name it as Node.id`,
    )
  }
  const limit = SAMPLES_PER_EDGE_MAX
  const isAnswer = query.toNodeId === ENTRYPOINT
  const node = nodeOf(isAnswer ? query.fromNodeId : query.toNodeId)
  const from = query.fromNodeId === ENTRYPOINT ? ENTRYPOINT : nodeOf(query.fromNodeId)
  const found = await deps.samples.list(runtimeId, versionName, {
    workflow: workflowId,
    node,
    limit,
    ...(isAnswer ? {} : { fromNode: from }),
  })
  return found.flatMap(({ requestId, at, input, output }) => {
    const part = isAnswer ? output : input
    return part === null ? [] : [{ requestId, at, message: show(part) }]
  })
}

/** What is known of the messages of one request's steps, by the id of the step. */
export type StepMessages = {
  of(stepId: string): MessageSample | undefined
  readonly show: ShowMessage
}

/** Null when nothing of the request was sampled, or its version is gone. */
export async function readStepMessages(
  deps: ReadSamplesDeps,
  principal: Principal,
  { id, runtimeId, version: name }: Pick<KeptRequest, 'id' | 'runtimeId' | 'version'>,
): Promise<StepMessages | null> {
  const found = await deps.samples.list(runtimeId, name, { requestId: id })
  const version = found.length === 0 ? null : await deps.versions.find(runtimeId, name)
  if (version === null) return null
  const byStep = new Map(found.map((sample) => [sample.stepId, sample]))
  const maySee = isAllowed(principal, 'view messages', runtimeId)
  return {
    of: (stepId) => byStep.get(stepId),
    show: createShowMessage(deps.versionTypes(version), maySee),
  }
}
