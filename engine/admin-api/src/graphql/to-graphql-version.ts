import {
  ENTRYPOINT,
  toYaml,
  type DerivedNode,
  type GraphNode,
  type WorkflowGraph,
} from '@kre/contracts'
import { visibleMessage } from '../logs/visible-message.ts'
import type { VersionState } from '../versions/version-state.ts'
import { toGraphqlUser } from './to-graphql-user.ts'

/**
 * The fields of `Version` that need no further reading; `config` has a resolver. What authors and processes wrote hides
 * nothing and turns nothing around.
 */
export function toGraphqlVersion({ version, derived }: VersionState) {
  const { manifest, hasDoc, issues } = version.facts
  const statusReason = visibleMessage(derived.reason)
  return {
    id: version.id,
    krtVersion: manifest.krtVersion,
    name: version.name,
    runtimeId: version.runtimeId,
    description: visibleMessage(version.description),
    status: derived.status,
    statusReason,
    creationDate: version.createdAt.toISOString(),
    creationAuthor: toGraphqlUser(version.createdBy),
    publicationDate: version.publishedAt?.toISOString() ?? null,
    publicationAuthor: version.publishedBy === null ? null : toGraphqlUser(version.publishedBy),
    /** Made when it is asked for: most lists of a thousand versions have no use for their nodes. */
    get workflows() {
      return manifest.workflows.map((workflow) => toGraphqlWorkflow(workflow, derived.nodes))
    },
    hasDoc,
    errors: derived.status === 'ERROR' ? [statusReason] : [],
    issues: issues ?? [],
    digest: version.bundleDigest,
    // Written only when it is asked for.
    manifest: () => toYaml(manifest),
    entrypointAddress: derived.address,
  }
}
export type GraphqlVersion = ReturnType<typeof toGraphqlVersion>

function toGraphqlWorkflow(workflow: WorkflowGraph, derived: readonly DerivedNode[]) {
  const exitpoint = workflow.nodes.find((node) => node.id === workflow.exitpoint)
  return {
    id: workflow.id,
    name: workflow.name,
    entrypoint: workflow.entrypoint,
    exitpoint: exitpoint?.name ?? workflow.exitpoint,
    nodes: workflow.nodes.flatMap((node) => {
      const state = derived.find(
        (other) => other.workflow === workflow.id && other.node === node.id,
      )
      return state === undefined ? [] : [toGraphqlNode(node, state)]
    }),
  }
}

export function toGraphqlNode(node: GraphNode, state: DerivedNode) {
  return {
    id: `${state.workflow}.${state.node}`,
    name: node.name,
    status: state.status,
    statusReason: visibleMessage(state.reason),
    subscriptions: node.subscriptions.map(({ from, channel }) =>
      channel === null ? from : `${from}.${channel}`,
    ),
    inputs: node.subscriptions.map(({ from, channel, durability }) => ({
      fromNodeId: from === ENTRYPOINT ? ENTRYPOINT : `${state.workflow}.${from}`,
      channel,
      durability,
      isFused: state.fused.includes(from),
    })),
    replicas: replicasOf(node, state),
    replicasReady: state.replicasReady,
    restarts: state.restarts,
  }
}

/** Of one that follows its load: as many as it shall have now. */
function replicasOf({ replicas, autoscaling }: GraphNode, state: DerivedNode): number {
  return autoscaling === undefined || state.status === 'STOPPED' ? replicas : state.replicasWanted
}
