import { ENCODING, fnv1a, type Envelope, type MessageType } from '@kre/contracts/runtime'
import { wallClockMs } from '@kre/service-kit/runner'
import type { Payload } from '@kre/sdk'

/** The envelope of an output: what belongs to the request is handed on, the rest is this node's. */
export function childEnvelope(
  parent: Envelope,
  node: string,
  index: number,
  messageType: MessageType,
  payload: Payload,
  error: string,
  statusCode: number,
  now = performance.now(),
): Envelope {
  return {
    requestId: parent.requestId,
    typeUrl: payload.typeUrl,
    value: payload.value,
    error,
    fromNode: node,
    messageType,
    deadlineUnixMs: parent.deadlineUnixMs,
    replyTo: parent.replyTo,
    attempt: 1,
    hop: parent.hop + 1,
    claim: null,
    encoding: ENCODING.none,
    statusCode,
    metadata: parent.metadata,
    lineage: childLineage(parent.lineage, node, index),
    sequence: 0,
    hasClaims: parent.hasClaims,
    handlerUs: parent.handlerUs,
    sentUnixUs: Math.round(wallClockMs(now) * 1_000),
  }
}

/** Tells the messages of a request apart, the same on every delivery. For one sender no two parents give the same. */
function childLineage(parent: number, node: string, index: number): number {
  return fnv1a(node, (parent ^ index) >>> 0)
}
