import type { FeatureDeps } from '../context.ts'
import { tailLogs } from '../logs/tail-logs.ts'
import { watchTraffic } from '../traffic/watch-traffic.ts'
import { watchNodes, type NodeState } from '../versions/watch-nodes.ts'
import { watchVersions } from '../versions/watch-versions.ts'
import type { GraphqlContext } from './context.ts'
import { toGraphqlTraffic } from './to-graphql-traffic.ts'
import { toGraphqlLog } from './to-graphql-log.ts'
import { toGraphqlNode, toGraphqlVersion } from './to-graphql-version.ts'

type OfVersion = { versionName: string; runtimeId: string }

export function createSubscriptions(deps: FeatureDeps) {
  return {
    watchVersion: async (
      _: unknown,
      { runtimeId = null }: { runtimeId?: string | null },
      { principal, signal }: GraphqlContext,
    ) => map(await watchVersions(deps, { principal, runtimeId, signal }), toGraphqlVersion),

    watchNodeStatus: async (_: unknown, args: OfVersion, { principal, signal }: GraphqlContext) =>
      map(await watchNodes(deps, { ...args, principal, signal }), toNode),

    watchTraffic: async (_: unknown, args: OfVersion, { principal, signal }: GraphqlContext) =>
      map(await watchTraffic(deps, { ...args, principal, signal }), toGraphqlTraffic),

    watchNodeLogs: async (
      _: unknown,
      args: OfVersion & { filters: unknown },
      { principal, signal }: GraphqlContext,
    ) => map(await tailLogs(deps, { ...args, principal, signal }), toGraphqlLog),
  }
}

function toNode({ state, node }: NodeState) {
  const workflow = state.version.facts.manifest.workflows.find(({ id }) => id === node.workflow)
  const graphNode = workflow?.nodes.find(({ id }) => id === node.node)
  return graphNode === undefined ? null : toGraphqlNode(graphNode, node)
}

/** An async generator would do the same, but its `return()` waits for the next value. */
function map<A, B>(
  source: AsyncIterableIterator<A, undefined>,
  convert: (value: A) => B,
): AsyncIterableIterator<B, undefined> {
  return {
    async next() {
      const { done, value } = await source.next()
      return done === true ? { done, value: undefined } : { done: false, value: convert(value) }
    },
    async return() {
      await source.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
