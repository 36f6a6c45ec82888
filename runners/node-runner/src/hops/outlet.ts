/** Where a call's outputs and failures go. */
import {
  failureSubject,
  GRPC_STATUS,
  MESSAGE_TYPE,
  nodeSubject,
  type Envelope,
  type ErrorCode,
  type NodeLaunch,
} from '@kre/contracts/runtime'
import { TerminalError, type MessageKind, type Payload } from '@kre/sdk'
import type { NodeCall } from '../calls/node-call.ts'
import type { Counters } from '../counters.ts'
import { childEnvelope } from './child-envelope.ts'
import type { HopSender, Route } from './hop-sender.ts'

const NO_PAYLOAD: Payload = { typeUrl: '', value: new Uint8Array(0) }
/** A message that went around so often is in a loop of the graph. */
const HOPS_MAX = 1_000

export type Outlet = {
  /** @throws KreError, TerminalError when the output can't be sent: the handler's failure. */
  send(call: NodeCall, kind: MessageKind, channel: string, payload: Payload, error: string): void
  /** The handler's failure: to the subscribers that handle errors, or else to the caller. */
  fail(call: NodeCall, code: ErrorCode, text: string): void
  /** A failure that no handler of the graph can do anything about. */
  tellCaller(envelope: Envelope, code: ErrorCode, text: string): void
}

export function createOutlet(launch: NodeLaunch, hops: HopSender, counters: Counters): Outlet {
  const ref = { ...launch }
  const error = (parent: Envelope, index: number, code: ErrorCode, text: string) =>
    childEnvelope(
      parent,
      launch.node,
      index,
      MESSAGE_TYPE.error,
      NO_PAYLOAD,
      text,
      GRPC_STATUS[code],
    )
  const tellCaller: Outlet['tellCaller'] = (envelope, code, text) =>
    hops.answer(error(envelope, 0, code, text))
  const routes = new Map(
    launch.outputs.map((channel): [string, Route] => {
      const name = channel === null ? launch.node : `${launch.node}.${channel}`
      const text = `no replica of a node that listens to "${name}" is running`
      const onDead = (sent: Envelope) => tellCaller(sent, 'unavailable', text)
      const subject = nodeSubject(ref, channel ?? undefined)
      return [channel ?? '', { subject, isRetried: true, onDead }]
    }),
  )
  const failures: Route = {
    subject: failureSubject(ref),
    isRetried: false,
    onDead: (sent) => hops.answer(sent),
  }
  const publishError = (call: NodeCall, code: ErrorCode, text: string) => {
    const message = error(call.envelope, call.outputs++, code, text)
    hops.hop(failures, message, 0)
  }

  const sendOk = (call: NodeCall, channel: string, payload: Payload) => {
    const message = childEnvelope(
      call.envelope,
      launch.node,
      call.outputs++,
      MESSAGE_TYPE.ok,
      payload,
      '',
      0,
    )
    if (message.hop > HOPS_MAX)
      throw new TerminalError(
        `the message made ${HOPS_MAX} hops: the graph has a loop without an end`,
      )
    const isAnswer = launch.isExitpoint && channel === '' && !call.isAnswered
    if (isAnswer) {
      hops.answer(message)
      call.isAnswered = true
    }
    const route = routes.get(channel)
    if (route === undefined) {
      // Built for its grammar: a name that is not legal is the author's mistake, heard or not.
      if (channel !== '') nodeSubject(ref, channel)
      if (!isAnswer) counters.unheardOutputs++
      return
    }
    hops.hop(route, message, call.deadlineAt)
  }

  return {
    send(call, kind, channel, payload, text) {
      if (call.isOver || call.hasExited) {
        counters.lateOutputs++
        return
      }
      if (kind === 'ok') return sendOk(call, channel, payload)
      if (kind === 'error') return publishError(call, 'internal', text)
      const type = kind === 'earlyReply' ? MESSAGE_TYPE.earlyReply : MESSAGE_TYPE.earlyExit
      hops.answer(childEnvelope(call.envelope, launch.node, call.outputs++, type, payload, '', 0))
      if (kind === 'earlyExit') call.hasExited = true
    },
    fail(call, code, text) {
      const where = `Error in node '${launch.nodeName}' executing handler for node '${call.fromNode}'`
      publishError(call, code, `${where}: ${text}`)
    },
    tellCaller,
  }
}
