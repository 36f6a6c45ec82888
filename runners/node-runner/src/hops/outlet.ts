/** Where a call's outputs and failures go. */
import {
  failureSubject,
  GRPC_STATUS,
  MESSAGE_TYPE,
  nodeSubject,
  RETRY_AFTER_METADATA,
  toKreError,
  type Envelope,
  type ErrorCode,
  KreError,
  type MessageType,
  type NodeLaunch,
} from '@kre/contracts/runtime'
import { TerminalError, typeNameOf, type MessageKind, type Payload } from '@kre/sdk'
import { maskConfig } from '@kre/service-kit/masking'
import type { NodeCall } from '../calls/node-call.ts'
import type { Counters } from '../counters.ts'
import { openCallStream, type CallStream } from './call-stream.ts'
import { childEnvelope } from './child-envelope.ts'
import type { HopSender, Route } from './hop-sender.ts'
import type { Inbox } from '@kre/core-nats'
import { PAYLOAD_BYTES_MAX, type PayloadForms } from './payload-forms.ts'

const NO_PAYLOAD: Payload = { typeUrl: '', value: new Uint8Array(0) }
/** A message that went around so often is in a loop of the graph. */
const HOPS_MAX = 1_000
/** A process needs about as long to start. */
const SLEEPER_RETRY_AFTER_MS = 1_000

export type Outlet = {
  /**
   * @returns undefined when it is sent; otherwise resolves when it is, because it is large, or the caller of a stream
   * takes it slowly.
   * @throws KreError, TerminalError when the output can't be sent: the handler's failure.
   */
  send(
    call: NodeCall,
    kind: MessageKind,
    channel: string,
    payload: Payload,
    error: string,
  ): Promise<void> | undefined
  /**
   * Sends a message of the streamed answer. Returns as `send`.
   *
   * @throws TerminalError when the rpc returns no stream, or messages of another type.
   */
  write(call: NodeCall, payload: Payload): Promise<void> | undefined
  /**
   * The handler has returned: sends what is left, and at the exitpoint the end of the stream. Undefined = at once.
   *
   * @throws what kept an output from being sent, whether the handler waited for it or not.
   */
  finish(call: NodeCall): Promise<void> | undefined
  /** The handler's failure: to the subscribers that handle errors, or else to the caller. */
  fail(call: NodeCall, code: ErrorCode, text: string): void
  /** A failure that no handler of the graph can do anything about. */
  tellCaller(envelope: Envelope, code: ErrorCode, text: string): void
  /** There is no room for the message; the caller learns when to come back. */
  refuse(envelope: Envelope, text: string, retryAfterMs: number): void
}

export function createOutlet(
  launch: NodeLaunch,
  hops: HopSender,
  forms: PayloadForms,
  inbox: Inbox,
  counters: Counters,
  /** Nobody waits for this call's stream any more. */
  onStopped: (call: NodeCall, reason: KreError) => void,
): Outlet {
  const ref = { ...launch }
  const isStreaming = launch.serverStreaming === true
  const payloadBytesMax = launch.payloadBytesMax ?? PAYLOAD_BYTES_MAX
  // Exceptions quote what they failed on, and callers read them.
  const mask = maskConfig(launch.config)
  const error = (parent: Envelope, index: number, code: ErrorCode, text: string) =>
    childEnvelope(
      parent,
      launch.node,
      index,
      MESSAGE_TYPE.error,
      NO_PAYLOAD,
      mask(text),
      GRPC_STATUS[code],
    )
  const tellCaller: Outlet['tellCaller'] = (envelope, code, text) =>
    hops.answer(error(envelope, 0, code, text))
  const refuse: Outlet['refuse'] = (envelope, text, retryAfterMs) => {
    const message = error(envelope, 0, 'resource-exhausted', text)
    message.metadata = { ...message.metadata, [RETRY_AFTER_METADATA]: String(retryAfterMs) }
    hops.answer(message)
  }
  const routes = new Map(
    launch.outputs.map((channel): [string, Route] => {
      const name = channel === null ? launch.node : `${launch.node}.${channel}`
      const text = `no replica of a node that listens to "${name}" is running`
      const full = `too many messages wait for a node that listens to "${name}" and was scaled to zero`
      const onDead = (sent: Envelope, isFull: boolean) =>
        isFull ? refuse(sent, full, SLEEPER_RETRY_AFTER_MS) : tellCaller(sent, 'unavailable', text)
      const subject = nodeSubject(ref, channel ?? undefined)
      const isLocal = launch.localOutputs?.includes(channel) ?? false
      const isSleeper = launch.sleeperOutputs?.includes(channel) ?? false
      return [channel ?? '', { subject, isLocal, isRetried: true, isSleeper, onDead }]
    }),
  )
  const failures: Route = {
    subject: failureSubject(ref),
    isLocal: false,
    isRetried: false,
    isSleeper: false,
    onDead: (sent) => hops.answer(sent),
  }
  const publishError = (call: NodeCall, code: ErrorCode, text: string) => {
    const message = error(call.envelope, call.outputs++, code, text)
    hops.hop(failures, message, 0)
  }

  const streamOf = (call: NodeCall): CallStream =>
    (call.stream ??= openCallStream(
      inbox,
      (envelope, creditSubject) => hops.answer(envelope, creditSubject),
      (reason) => onStopped(call, reason),
    ))
  const child = (call: NodeCall, type: MessageType, payload: Payload) => {
    const now = performance.now()
    const index = call.outputs++
    const message = childEnvelope(call.envelope, launch.node, index, type, payload, '', 0, now)
    message.handlerUs += Math.round((now - call.startedAt) * 1_000)
    return message
  }

  /** Sends an output, behind those of the call that are still being packed. */
  const dispatch = (
    call: NodeCall,
    message: Envelope,
    deliver: (message: Envelope) => Promise<void> | undefined,
  ): Promise<void> | undefined => {
    if (call.unsent === null && forms.isPlain(message)) return tracked(call, deliver(message))
    const before = call.unsent
    const packed = forms.isPlain(message) ? message : forms.pack(message, call.envelope)
    const send = async () => {
      const [ready] = await Promise.all([packed, before])
      if (call.isOver) counters.lateOutputs++
      else await deliver(ready)
    }
    const sent = send()
    call.unsent = sent
    const settle = () => {
      if (call.unsent === sent) call.unsent = null
    }
    sent.then(settle, settle)
    return tracked(call, sent)
  }
  const write = (call: NodeCall, message: Envelope) =>
    dispatch(call, message, (ready) => streamOf(call).write(ready, message.value.length))
  const answer = (call: NodeCall, message: Envelope) =>
    dispatch(call, message, (ready) => {
      hops.answer(ready)
      return undefined
    })

  const sendOk = (call: NodeCall, channel: string, payload: Payload) => {
    checkSize(payload, payloadBytesMax)
    const message = child(call, MESSAGE_TYPE.ok, payload)
    if (message.hop > HOPS_MAX)
      throw new TerminalError(
        `the message made ${HOPS_MAX} hops: the graph has a loop without an end`,
      )
    const isAnswer = launch.isExitpoint && channel === '' && (isStreaming || !call.isAnswered)
    let sent: Promise<void> | undefined
    if (isAnswer) {
      if (isStreaming) sent = write(call, { ...message, messageType: MESSAGE_TYPE.frame })
      else sent = answer(call, message)
      call.isAnswered = true
    }
    const route = routes.get(channel)
    if (route === undefined) {
      // Built for its grammar: a name that is not legal is the author's mistake, heard or not.
      if (channel !== '') nodeSubject(ref, channel)
      if (!isAnswer) counters.unheardOutputs++
      return sent
    }
    if (hops.handOver(route, message)) return sent
    const onward = dispatch(call, message, (ready) => {
      hops.hop(route, ready, call.deadlineAt)
      return undefined
    })
    return onward ?? sent
  }
  const sendEarly = (call: NodeCall, isExit: boolean, payload: Payload) => {
    const type = isExit
      ? MESSAGE_TYPE.earlyExit
      : isStreaming
        ? MESSAGE_TYPE.frame
        : MESSAGE_TYPE.earlyReply
    checkSize(payload, payloadBytesMax)
    const message = child(call, type, payload)
    const sent = isStreaming ? write(call, message) : answer(call, message)
    call.hasExited ||= isExit
    return sent
  }
  /** Waits for what is being packed, and then for the stream. */
  const finishLater = async (call: NodeCall) => {
    await call.unsent
    failIfLost(call)
    if (isStreaming && launch.isExitpoint && !call.hasExited && !call.hasSentError)
      void tracked(call, streamOf(call).end(child(call, MESSAGE_TYPE.end, NO_PAYLOAD)))
    await call.stream?.settled()
    failIfLost(call)
  }

  return {
    send(call, kind, channel, payload, text) {
      if (call.isOver || call.hasExited) {
        counters.lateOutputs++
        return undefined
      }
      if (kind === 'ok') return sendOk(call, channel, payload)
      if (kind !== 'error') return sendEarly(call, kind === 'earlyExit', payload)
      call.hasSentError = true
      publishError(call, 'internal', text)
      return undefined
    },
    write(call, payload) {
      if (!isStreaming) throw new TerminalError(notStreaming(launch))
      const type = typeNameOf(payload.typeUrl)
      if (type !== launch.responseType) throw new TerminalError(wrongType(launch, type))
      if (call.isOver || call.hasExited) counters.lateOutputs++
      if (call.hasExited) throw new TerminalError('nothing can be written after an early exit')
      if (call.isOver && call.stream === null) throw new TerminalError(CALL_OVER)
      checkSize(payload, payloadBytesMax)
      return write(call, child(call, MESSAGE_TYPE.frame, payload))
    },
    finish(call) {
      const isSent = !isStreaming && call.unsent === null && call.lostOutput === null
      return isSent ? undefined : finishLater(call)
    },
    fail(call, code, text) {
      const where = `Error in node '${launch.nodeName}' executing handler for node '${call.fromNode}'`
      publishError(call, code, `${where}: ${text}`)
    },
    tellCaller,
    refuse,
  }
}

/** @throws KreError why an output could not be sent after all. */
function failIfLost({ lostOutput }: NodeCall): void {
  if (lostOutput !== null) throw lostOutput
}

const CALL_OVER =
  'the handler has returned, or its caller has gone: nothing can be written any more'

function notStreaming(launch: NodeLaunch): string {
  return `ctx.stream.write: the rpc of workflow '${launch.workflowName}' returns one answer. Declare it as "returns (stream ${launch.responseType})" in the .proto, or answer with ctx.sendOutput`
}

function wrongType(launch: NodeLaunch, type: string): string {
  return `ctx.stream.write: the rpc of workflow '${launch.workflowName}' returns a stream of "${launch.responseType}", and this is a "${type}"`
}

/** Who does not await an output must not lose it silently, nor end the process by its failure: its call fails. */
function tracked(call: NodeCall, sent: Promise<void> | undefined): Promise<void> | undefined {
  sent?.catch((error: unknown) => (call.lostOutput ??= toKreError(error)))
  return sent
}

function checkSize({ value: { length: bytes } }: Payload, bytesMax: number): void {
  if (bytes <= bytesMax) return
  throw new KreError(
    'resource-exhausted',
    `the output has ${bytes} bytes and the runtime's payload limit is ${bytesMax}: send less, put the data into the object store and send its key, or raise the limit`,
    { bytes, bytesMax },
  )
}
