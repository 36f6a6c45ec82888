/** What the processes of a workload may publish and subscribe to inside of their account. Pure. */
import {
  claimStream,
  controlSubject,
  dataSubject,
  ENGINE_HEARTBEAT_SUBJECT,
  ENTRYPOINT,
  entrypointInbox,
  type EntrypointSpec,
  failureSubject,
  ingressSubject,
  metricsSubject,
  type NodeMember,
  nodeInbox,
  type NodeSpec,
  nodeSubject,
  outputSubject,
  outputsFilter,
  claimsFilter,
  routingBucket,
  OUTPUT_KINDS,
  spareNoticeSubject,
  spareSubject,
  versionClaimsFilter,
  versionOutputsFilter,
} from '@kre/contracts'
import type { Permissions } from '../keys/jwt.ts'
import { bundleReads, keyValueSubjects, objectSubjects } from './plan-accounts.ts'

/** Its own outputs, its own inputs as one of its queue, its own stores: nothing of other nodes. */
export function nodePermissions({ fused = [], ...first }: NodeSpec): Permissions {
  const members: readonly NodeMember[] = [first, ...fused]
  return {
    pub: { allow: unique(members.flatMap(publishedBy)) },
    sub: { allow: unique(members.flatMap(subscribedBy)) },
  }
}

function publishedBy(node: NodeMember): string[] {
  const { runtimeId, workflow } = node
  const claims = versionClaimsFilter(node)
  const { project, workflow: shared, node: own } = node.keyValueBuckets
  return [
    nodeSubject(node),
    `${nodeSubject(node)}.*`,
    failureSubject(node),
    spareSubject(node),
    spareNoticeSubject(node),
    // The request's id, which only its own nodes know, says whether an answer is one.
    `_R.${runtimeId}.*.*`,
    // Replicas of a node answer each other.
    `${nodeInbox(node)}.>`,
    controlSubject(node, 'announce'),
    controlSubject(node, 'steps'),
    controlSubject(node, 'wake'),
    metricsSubject(runtimeId),
    dataSubject(runtimeId, 'find'),
    ...OUTPUT_KINDS.map((kind) => outputSubject(node, workflow, kind)),
    claims,
    `$JS.API.DIRECT.GET.${claimStream(node)}.${claims}`,
    bundleReads(node),
    ...[project, shared, own].flatMap(keyValueSubjects),
    ...(node.objectBucket === null ? [] : objectSubjects(node.objectBucket)),
  ]
}

function subscribedBy(node: NodeMember): string[] {
  const inputs = node.subscriptions.flatMap(({ from, channel }) => {
    if (from === ENTRYPOINT) return [ingressSubject(node)]
    const sender = { ...node, node: from }
    return [nodeSubject(sender, channel ?? undefined), failureSubject(sender)]
  })
  return [
    // With the queue's name behind it: a subscription of its own would copy what other replicas get.
    ...[...inputs, spareSubject(node)].map((subject) => `${subject} ${node.node}`),
    spareNoticeSubject(node),
    controlSubject(node, 'cancel'),
    controlSubject(node, 'ping'),
    controlSubject(node, 'kept'),
    controlSubject(node, 'sample'),
    ENGINE_HEARTBEAT_SUBJECT,
    `${nodeInbox(node)}.>`,
  ]
}

/** Of one version, or of the runtime's published address, which serves any. */
export function entrypointPermissions({ runtimeId, version }: EntrypointSpec): Permissions {
  const of = version ?? '*'
  const control = (verb: string) => `x.${runtimeId}.${of}._c.${verb}`
  // Its account has nothing of this name but the streams of its versions.
  const stream = version === null ? '*' : claimStream({ runtimeId, version })
  const claims =
    version === null ? claimsFilter(runtimeId) : versionClaimsFilter({ runtimeId, version })
  const routing = routingBucket(runtimeId)
  return {
    pub: {
      allow: [
        `x.${runtimeId}.${of}.*.i`,
        ...['announce', 'ping', 'cancel', 'kept', 'wake'].map(control),
        // Credits of streams.
        `_INBOX.${runtimeId}.${of}.>`,
        version === null ? outputsFilter(runtimeId) : versionOutputsFilter({ runtimeId, version }),
        metricsSubject(runtimeId),
        claims,
        `$JS.API.DIRECT.GET.${stream}.${claims}`,
        `$JS.API.STREAM.PURGE.${stream}`,
        `$JS.API.STREAM.MSG.GET.KV_${routing}`,
      ],
    },
    sub: {
      allow: [
        `_R.${runtimeId}.*.*`,
        ...['announce', 'ping', 'gone'].map(control),
        ENGINE_HEARTBEAT_SUBJECT,
        `$KV.${routing}.>`,
        `${entrypointInbox(runtimeId)}.>`,
      ],
    },
  }
}

function unique(subjects: readonly string[]): string[] {
  return [...new Set(subjects)]
}
