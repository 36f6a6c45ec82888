/** Sends requests to nodes and their answers to callers. The hot path: no promise, no JSON, no log line per request. */
import { randomUUID } from 'node:crypto'
import { encodeEnvelopePieces, GRPC_STATUS, MESSAGE_TYPE } from '@kre/contracts/runtime'
import { bytesOf } from '@kre/core-nats'
import { wallClockMs } from '@kre/service-kit/runner'
import type { ByteBudget } from '../grpc/byte-budget.ts'
import { createFailure, type Failure } from '../grpc/failure.ts'
import { parseGrpcTimeout } from '../grpc/grpc-timeout.ts'
import type { RequestHeaders } from '../http2/request-headers.ts'
import type { Limits } from '../limits.ts'
import type { NatsLink } from '../nats-link.ts'
import type { Death } from '../versions/replica-table.ts'
import {
  isAsleep,
  type RoutedMethod,
  type ServedVersion,
  type ServedWorkflow,
} from '../versions/served-version.ts'
import { createPendingRequest, type Caller, type PendingRequest } from './pending-request.ts'
import { refusalOf } from './admission.ts'
import { type Answer, type Expected, readAnswer, unreadable } from './read-answer.ts'
import { createRequestCounts, type RequestCounts } from './request-counts.ts'
import { attemptOf, idOf, isTokenOf, streamReplyTo } from './reply-token.ts'
import * as failures from './request-failures.ts'
import type { RequestEnd, RequestPayloads } from './request-payload.ts'
import { requestMetadata, requestIdOf } from './request-metadata.ts'
import { createSlotTable } from './slot-table.ts'
import { createStreamReceiver } from './stream-receiver.ts'
import type { TimerWheel } from './timer-wheel.ts'

export type RequestBroker = {
  /** Takes a whole request over; the caller hears of its end, in any case. */
  submit(caller: Caller, headers: RequestHeaders, method: RoutedMethod, message: Uint8Array): void
  /** A message in the reply inbox. @param reply where its sender hears of credit; empty = it sends no stream. */
  replied(token: string, data: Uint8Array, reply: string): void
  /** NATS says that nobody listens to what was sent with this token. */
  nobodyListens(token: string): void
  /** Nodes of a version came or went: what waits for them may go. */
  nodesChanged(version: ServedVersion): void
  died(version: ServedVersion, death: Death): void
  /** NATS is away: what is with the nodes may be lost, and its answer certainly is. */
  disconnected(): void
  reconnected(): void
  /** Fails what is still there. */
  failAll(): void
  inFlight(): number
  held(): number
  readonly counts: RequestCounts
}

export type BrokerDeps = {
  readonly limits: Limits
  readonly requestTimeoutMs: number
  readonly payloadBytesMax: number
  readonly link: NatsLink
  readonly wheel: TimerWheel
  readonly budget: ByteBudget
  readonly payloads: RequestPayloads
  /** `replySubject` without the token. */
  readonly replyPrefix: string
  readonly cancel: (version: ServedVersion, requestId: string) => void
  /** Asks for nodes that sleep; called again while a request waits for them. */
  readonly wake: (version: ServedVersion, workflow: ServedWorkflow) => void
  /** Gives a request's metadata the trace that it goes on with. */
  readonly traced: (metadata: Record<string, string>) => Record<string, string>
  /** A request was turned away before it had a slot. */
  readonly onRefused: (reason: string) => void
  /** At the end of each request that had a slot; `failure` null = answered. */
  readonly onEnd: (request: PendingRequest, elapsedMs: number, failure: Failure | null) => void
}

export function createRequestBroker(deps: BrokerDeps): RequestBroker {
  const { limits, link, wheel, payloads, payloadBytesMax } = deps
  const slots = createSlotTable<PendingRequest>(limits.inFlightMax)
  const counts = createRequestCounts()
  let held = 0

  const setPhase = (request: PendingRequest, phase: PendingRequest['phase']) => {
    if (request.phase !== 'sent') held--
    request.phase = phase
    if (phase !== 'sent') held++
  }

  const release = (request: PendingRequest, failure: Failure | null, end: RequestEnd = 'final') => {
    setPhase(request, 'sent')
    slots.remove(request)
    wheel.cancel(request.timer)
    request.method.version.inFlight--
    request.workflow.inFlight--
    request.workflow.bytes -= request.message.length
    request.caller.onGone = null
    if (request.stream !== null) streams.released(request, request.stream)
    // What nodes kept of a request that failed is not known.
    if (request.hasClaims || (failure !== null && request.workflow.usesClaims))
      payloads.release(request, end)
    const now = performance.now()
    request.workflow.throttle.ended(failure?.reason === failures.NODE_OVERLOADED, now)
    deps.onEnd(request, now - request.startedAt, failure)
  }

  const fail = (request: PendingRequest, failure: Failure, end?: RequestEnd) => {
    if (failure.status === GRPC_STATUS['deadline-exceeded']) counts.expired++
    else counts.errored++
    release(request, failure, end)
    request.caller.fail(failure, request.requestId)
  }

  const expire = (request: PendingRequest) => {
    if (request.attempt > 0) deps.cancel(request.method.version, request.requestId)
    fail(request, failures.expired(request, link.isUp()))
  }

  const send = (request: PendingRequest) => {
    if (!link.isUp() || request.workflow.missing.length > 0) hold(request, 'held')
    else publish(request)
  }

  const answered = (request: PendingRequest, endsWorkflow: boolean, isFinal: boolean) => {
    counts.answered++
    release(request, null, endsWorkflow ? 'cancelled' : isFinal ? 'final' : 'early')
    if (endsWorkflow) deps.cancel(request.method.version, request.requestId)
  }

  const streams = createStreamReceiver({
    link,
    budget: deps.budget,
    payloads,
    payloadBytesMax,
    isOpen: (request) => slots.get(request.id) === request,
    noteClaims: (request) => noteClaims(request),
    fail,
    abandon(request, failure) {
      deps.cancel(request.method.version, request.requestId)
      fail(request, failure, 'cancelled')
    },
    complete(request, endsWorkflow) {
      answered(request, endsWorkflow, true)
      request.caller.end?.(request.requestId)
    },
    onLate: () => void counts.lateReplies++,
  })

  const noteClaims = (request: PendingRequest) => {
    request.hasClaims = true
    request.workflow.usesClaims = true
  }

  const pack = async (request: PendingRequest) => {
    if (request.isPacking) return
    request.isPacking = true
    wheel.schedule(request.timer, request.deadlineAt - performance.now())
    try {
      request.packed = await payloads.pack(request)
      if (request.packed.claim !== null) noteClaims(request)
      if (slots.get(request.id) === request) send(request)
      else if (request.hasClaims) payloads.release(request, 'final')
    } catch (error) {
      if (slots.get(request.id) === request) fail(request, failures.notPacked(request, error))
    }
    request.isPacking = false
  }

  const onAnswer = (request: PendingRequest, expected: Expected, answer: Answer) => {
    if (answer.kind !== 'foreign' && answer.hasClaims) noteClaims(request)
    if (answer.kind === 'failure') fail(request, answer.failure)
    else if (answer.kind === 'value') {
      request.handlerUs = answer.handlerUs
      answered(request, answer.endsWorkflow, answer.isFinal)
      request.caller.answer(answer.value, request.requestId)
    } else if (answer.kind === 'packed') void readLater(request, expected, answer)
    else counts.lateReplies++
  }

  const readLater = async (
    request: PendingRequest,
    expected: Expected,
    packed: Extract<Answer, { kind: 'packed' }>,
  ) => {
    const { payload, ...rest } = packed
    const bytes = payload.claim?.size ?? payload.value.length
    if (payload.claim !== null) noteClaims(request)
    if (deps.budget.isFull()) return fail(request, failures.noRoomForAnswer(request))
    deps.budget.add(bytes)
    let answer: Answer
    try {
      answer = { ...rest, kind: 'value', value: await payloads.read(payload) }
    } catch (error) {
      const failure = unreadable(expected, packed.fromNode, error)
      answer = { kind: 'failure', failure, hasClaims: false }
    }
    deps.budget.give(bytes)
    if (slots.get(request.id) === request) onAnswer(request, expected, answer)
    else counts.lateReplies++
  }

  const publish = (request: PendingRequest) => {
    if (request.attempt >= limits.attemptsMax) {
      fail(request, failures.tooManyAttempts(request))
      return
    }
    const { packed } = request
    if (packed === null && !payloads.isPlain(request.message)) {
      void pack(request)
      return
    }
    const replyTo = request.stream === null ? request.replyTo : streamReplyTo(request)
    const envelope = encodeEnvelopePieces({
      requestId: request.requestId,
      typeUrl: request.method.requestUrl,
      value: packed === null ? request.message : packed.value,
      error: '',
      fromNode: 'entrypoint',
      messageType: MESSAGE_TYPE.ok,
      deadlineUnixMs: request.deadlineUnixMs,
      replyTo,
      attempt: request.attempt + 1,
      hop: 0,
      claim: packed === null ? null : packed.claim,
      encoding: packed === null ? 0 : packed.encoding,
      statusCode: 0,
      metadata: request.metadata,
      lineage: 0,
      sequence: 0,
      hasClaims: request.hasClaims,
      handlerUs: 0,
      sentUnixUs: Math.round(wallClockMs() * 1_000),
    })
    const bytes = bytesOf(envelope)
    if (bytes > link.payloadBytesMax()) {
      fail(request, failures.tooLargeForNats(bytes, link.payloadBytesMax()))
      return
    }
    if (!link.publish(request.workflow.ingress, envelope, replyTo)) {
      fail(request, failures.natsIsBusy())
      return
    }
    setPhase(request, 'sent')
    if (request.attempt > 0) counts.resent++
    request.attempt++
    wheel.schedule(request.timer, request.deadlineAt - performance.now())
  }

  const hold = (request: PendingRequest, phase: 'held' | 'retrying') => {
    const now = performance.now()
    const isNew = request.attempt === 0
    const isWaking = link.isUp() && isAsleep(request.workflow)
    if (isWaking) request.holdUntil = request.deadlineAt
    else if (request.holdUntil === 0)
      request.holdUntil = now + (isNew ? holdMsOf(request) : limits.resendHoldMs)
    if (request.phase === 'sent' && isNew && held >= limits.heldMax) {
      const why = failures.whyHeld(request, link.isUp())
      const failure = isWaking ? failures.tooManyWaitForStart : failures.tooManyHeld
      fail(request, failure(limits.heldMax, why))
      return
    }
    setPhase(request, phase)
    waitOn(request, now)
  }

  const waitOn = (request: PendingRequest, now: number) => {
    const isWaking = link.isUp() && isAsleep(request.workflow)
    if (isWaking) deps.wake(request.method.version, request.workflow)
    const leftMs = Math.min(request.deadlineAt, request.holdUntil) - now
    const lookMs = request.phase === 'retrying' ? limits.retryMs : isWaking ? limits.wakeMs : leftMs
    wheel.schedule(request.timer, Math.min(lookMs, leftMs))
  }

  const holdMsOf = ({ workflow }: PendingRequest) =>
    Math.min(limits.holdMs, workflow.limits.maxQueueAgeMs ?? Infinity)

  const onTimer = (request: PendingRequest) => {
    const now = performance.now()
    if (now >= request.deadlineAt) expire(request)
    else if (request.holdUntil !== 0 && now >= request.holdUntil && request.phase !== 'sent')
      fail(request, failures.gaveUp(request, link.isUp(), Math.round(now - request.startedAt)))
    else if (request.phase === 'retrying') send(request)
    else if (request.phase === 'held') waitOn(request, now)
    else wheel.schedule(request.timer, Math.min(request.deadlineAt, request.holdUntil) - now)
  }

  const resend = (request: PendingRequest, why: string) => {
    if (request.stream !== null && request.stream.delivered > 0) {
      fail(request, failures.streamCut(request, why))
      return
    }
    request.holdUntil = 0
    send(request)
  }

  const find = (token: string) => {
    const request = slots.get(idOf(token))
    return request !== null && isTokenOf(request, token) ? request : null
  }

  const refuse = (caller: Caller, failure: Failure) => {
    deps.onRefused(failure.reason)
    caller.fail(failure, '')
  }

  return {
    counts,
    inFlight: () => slots.size,
    held: () => held,
    submit(caller, headers, method, message) {
      const { workflow } = method
      const timeout = headers.get('grpc-timeout')
      const callerMs = parseGrpcTimeout(timeout)
      if (callerMs === null) return refuse(caller, failures.badTimeout(timeout ?? ''))
      const metadata = requestMetadata(headers)
      const { size } = slots
      const { inFlightMax } = limits
      const now = performance.now()
      const refusal = refusalOf(workflow, metadata, message.length, size, inFlightMax, now)
      const id = slots.nextId()
      if (refusal !== null) return refuse(caller, refusal)
      if (id === null) return refuse(caller, failures.overloaded(size))
      if (method.isStreaming && (caller.write === undefined || caller.end === undefined))
        return refuse(caller, failures.doorTakesNoStream(method.rpc))
      const timeoutMs = Math.min(callerMs, workflow.timeoutMs ?? Infinity, deps.requestTimeoutMs)
      const request = createPendingRequest(
        id,
        caller,
        method,
        message,
        requestIdOf(headers) ?? randomUUID(),
        deps.replyPrefix,
        deps.traced(metadata),
        now,
        timeoutMs,
        onTimer,
      )
      slots.put(request)
      method.version.inFlight++
      workflow.inFlight++
      workflow.bytes += message.length
      counts.accepted++
      caller.onGone = () => {
        counts.cancelled++
        if (request.attempt > 0) deps.cancel(method.version, request.requestId)
        release(request, cancelledByCaller, 'cancelled')
      }
      if (request.stream !== null) streams.opened(request, request.stream)
      if (timeoutMs <= 0) expire(request)
      else send(request)
    },
    replied(token, data, reply) {
      const request = find(token)
      if (request === null) {
        counts.lateReplies++
        if (reply !== '') streams.stop(reply)
        return
      }
      if (request.stream !== null) {
        streams.received(request, request.stream, attemptOf(token), data, reply)
        return
      }
      const expected: Expected = {
        requestId: request.requestId,
        workflow: request.workflow.id,
        responseUrl: request.method.responseUrl,
        isStreaming: false,
        payloadBytesMax,
      }
      onAnswer(request, expected, readAnswer(data, expected))
    },
    nobodyListens(token) {
      const request = find(token)
      if (request === null || request.phase !== 'sent') return
      // It was not delivered, so this was no attempt.
      if (request.attempt > 1) counts.resent--
      request.attempt--
      hold(request, 'retrying')
    },
    nodesChanged(version) {
      if (held === 0) return
      for (const request of slots.all())
        if (request.phase === 'held' && request.method.version === version) send(request)
    },
    died(version, death) {
      if (version.inFlight === 0) return
      const interrupted = new Set(death.interrupted)
      for (const request of slots.all()) {
        if (request.method.version !== version || request.workflow.id !== death.workflow) continue
        const isInterrupted = interrupted.has(request.requestId)
        if (isInterrupted && countCrash(request, death) >= 2)
          fail(request, failures.crashedTwice(request, death.node, death.reason))
        else if (request.phase !== 'sent' || (death.isRepeated && !isInterrupted)) continue
        // A stream that flows goes on, whoever else dies.
        else if (isInterrupted || request.stream === null || request.stream.delivered === 0)
          resend(request, `node "${death.node}" died`)
      }
    },
    disconnected() {
      for (const request of slots.all())
        if (request.phase === 'sent') resend(request, 'the connection to NATS was lost')
    },
    reconnected() {
      for (const request of slots.all()) if (request.phase === 'held') send(request)
    },
    failAll() {
      for (const request of slots.all()) fail(request, failures.stopped(request))
    },
  }
}

const cancelledByCaller = createFailure('cancelled', 'CANCELLED', 'the caller went away')

/** Counts a death once, whoever brings the news of it. Returns how many there were at this node. */
function countCrash(request: PendingRequest, death: Death): number {
  request.crashes ??= []
  if (!request.crashes.includes(death.key)) request.crashes.push(death.key)
  return request.crashes.filter((key) => key.startsWith(`${death.node}/`)).length
}
