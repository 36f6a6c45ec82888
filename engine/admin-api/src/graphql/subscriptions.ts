import type { LogRecord } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { createLogTails } from '../logs/log-tails.ts'
import { tailLogs } from '../logs/tail-logs.ts'
import { createLivePictures } from '../traffic/live-pictures.ts'
import { watchTraffic } from '../traffic/watch-traffic.ts'
import { createVersionPictures } from '../versions/version-pictures.ts'
import { watchNodes, type NodeState } from '../versions/watch-nodes.ts'
import { watchVersions } from '../versions/watch-versions.ts'
import type { GraphqlContext } from './context.ts'
import { toGraphqlTraffic } from './to-graphql-traffic.ts'
import { toGraphqlLog } from './to-graphql-log.ts'
import { toGraphqlNode, toGraphqlVersion } from './to-graphql-version.ts'

type OfVersion = { versionName: string; runtimeId: string }

/** What subscribers have in common is read and converted once for all of them. */
export function createSubscriptions(features: FeatureDeps) {
  const deps = {
    ...features,
    readPicture: createVersionPictures(features),
    followLog: createLogTails(features),
    livePicture: createLivePictures(features),
  }
  const toVersion = rememberFor(toGraphqlVersion)
  const toTraffic = rememberFor(toGraphqlTraffic)
  const toLog = rememberFor((record: LogRecord) => toGraphqlLog(record))
  return {
    watchVersion: async (
      _: unknown,
      { runtimeId = null }: { runtimeId?: string | null },
      { principal, signal }: GraphqlContext,
    ) => map(await watchVersions(deps, { principal, runtimeId, signal }), toVersion),

    watchNodeStatus: async (_: unknown, args: OfVersion, { principal, signal }: GraphqlContext) =>
      map(await watchNodes(deps, { ...args, principal, signal }), toNode),

    watchTraffic: async (_: unknown, args: OfVersion, { principal, signal }: GraphqlContext) =>
      map(await watchTraffic(deps, { ...args, principal, signal }), toTraffic),

    watchNodeLogs: async (
      _: unknown,
      args: OfVersion & { filters: unknown },
      { principal, signal }: GraphqlContext,
    ) =>
      map(await tailLogs(deps, { ...args, principal, signal }), ({ record, leftOut }) =>
        leftOut === 0 ? toLog(record) : { ...toLog(record), leftOut },
      ),
  }
}

function toNode({ state, node }: NodeState) {
  const workflow = state.version.facts.manifest.workflows.find(({ id }) => id === node.workflow)
  const graphNode = workflow?.nodes.find(({ id }) => id === node.node)
  return graphNode === undefined ? null : toGraphqlNode(graphNode, node)
}

/** The same conversion, made once for each object. */
function rememberFor<A extends object, B>(convert: (value: A) => B): (value: A) => B {
  const known = new WeakMap<A, B>()
  return (value) => {
    const found = known.get(value) ?? convert(value)
    known.set(value, found)
    return found
  }
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
