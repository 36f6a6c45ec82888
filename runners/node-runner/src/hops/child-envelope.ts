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
    lineage: fnv1a(`${parent.lineage.toString(16)}/${node}/${index}`),
    sequence: 0,
    hasClaims: parent.hasClaims,
    handlerUs: parent.handlerUs,
    sentUnixUs: Math.round(wallClockMs() * 1_000),
  }
}
