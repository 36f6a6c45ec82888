/** Brings the frames of streamed answers to their callers, and tells their senders how much more they may send. */
import { emptyEnvelope, encodeEnvelope, type Envelope, MESSAGE_TYPE } from '@kre/contracts/runtime'
import type { ByteBudget } from '../grpc/byte-budget.ts'
import type { Failure } from '../grpc/failure.ts'
import type { NatsLink } from '../nats-link.ts'
import {
  type AnswerStream,
  grant,
  isGrantDue,
  type Producer,
  producerOf,
  takeEnd,
  takeFrame,
} from './answer-stream.ts'
import type { PendingRequest } from './pending-request.ts'
import { type Answer, type Expected, readAnswer, unreadable } from './read-answer.ts'
import * as failures from './request-failures.ts'
import type { RequestPayloads } from './request-payload.ts'

export type StreamReceiver = {
  /** The request has a slot now. */
  opened(request: PendingRequest, stream: AnswerStream): void
  /**
   * A message in the reply inbox.
   *
   * @param attempt the sending of the request that it answers.
   * @param reply where its sender hears of credit.
   */
  received(
    request: PendingRequest,
    stream: AnswerStream,
    attempt: number,
    data: Uint8Array,
    reply: string,
  ): void
  /** The request is over: whoever still sends is told. */
  released(request: PendingRequest, stream: AnswerStream): void
  /** Tells a sender that nobody takes its frames. */
  stop(creditSubject: string): void
}

export function createStreamReceiver(deps: {
  link: NatsLink
  budget: ByteBudget
  payloads: RequestPayloads
  payloadBytesMax: number
  isOpen: (request: PendingRequest) => boolean
  /** Payloads of the request are in the claim bucket. */
  noteClaims: (request: PendingRequest) => void
  /** A node failed the request. */
  fail: (request: PendingRequest, failure: Failure) => void
  /** The request can't go on: nodes are told, too. */
  abandon: (request: PendingRequest, failure: Failure) => void
  complete: (request: PendingRequest, endsWorkflow: boolean) => void
  /** A message that nobody waits for. */
  onLate: () => void
}): StreamReceiver {
  const { link, budget } = deps

  const tell = (creditSubject: string, message: Envelope) => {
    if (creditSubject !== '' && link.isUp()) link.publish(creditSubject, encodeEnvelope(message))
  }
  const give = (request: PendingRequest, producer: Producer) =>
    tell(producer.creditSubject, {
      ...emptyEnvelope(),
      requestId: request.requestId,
      messageType: MESSAGE_TYPE.credit,
      sequence: grant(producer),
    })
  const stop = (creditSubject: string) => tell(creditSubject, STOP)

  const onFrame = (
    request: PendingRequest,
    stream: AnswerStream,
    reply: string,
    { value, sequence }: { value: Uint8Array; sequence: number },
  ): boolean => {
    const place = takeFrame(stream, reply, sequence, value.length)
    if (place === 'repeated') deps.onLate()
    if (place === 'gap') deps.abandon(request, failures.streamCut(request, FRAMES_LOST))
    if (place !== 'next') return false
    if (request.caller.write?.(value, request.requestId) === false) {
      stream.isBlocked = true
      if (budget.isFull()) {
        deps.abandon(request, failures.callerTooSlow(request))
        return false
      }
    } else {
      const producer = producerOf(stream, reply)
      if (isGrantDue(producer)) give(request, producer)
    }
    return true
  }

  const onPart = (
    request: PendingRequest,
    stream: AnswerStream,
    expected: Expected,
    part: Answer,
    reply: string,
  ) => {
    if (stream.waiting !== null) {
      stream.waiting.push(() => onPart(request, stream, expected, part, reply))
      return
    }
    if (part.kind !== 'foreign' && part.hasClaims) deps.noteClaims(request)
    switch (part.kind) {
      case 'foreign':
        deps.onLate()
        return
      case 'failure':
        deps.fail(request, part.failure)
        return
      case 'packed':
        void readLater(request, stream, expected, part, reply)
        return
      case 'value':
        request.handlerUs = part.handlerUs
        if (onFrame(request, stream, reply, part) && part.endsWorkflow) deps.complete(request, true)
        return
      case 'end':
        request.handlerUs = part.handlerUs
        if (takeEnd(stream, reply, part.frames) === 'complete') deps.complete(request, false)
        else deps.abandon(request, failures.streamCut(request, FRAMES_LOST))
    }
  }

  /** What comes after it waits, so that the order stays. */
  const readLater = async (
    request: PendingRequest,
    stream: AnswerStream,
    expected: Expected,
    { payload, ...rest }: Extract<Answer, { kind: 'packed' }>,
    reply: string,
  ) => {
    const bytes = payload.claim?.size ?? payload.value.length
    if (payload.claim !== null) deps.noteClaims(request)
    if (budget.isFull()) return deps.abandon(request, failures.noRoomForAnswer(request))
    stream.waiting = []
    budget.add(bytes)
    let part: Answer
    try {
      part = { ...rest, kind: 'value', value: await deps.payloads.read(payload) }
    } catch (error) {
      const failure = unreadable(expected, rest.fromNode, error)
      part = { kind: 'failure', failure, hasClaims: false }
    }
    budget.give(bytes)
    const waiting = stream.waiting
    stream.waiting = null
    for (const next of [() => onPart(request, stream, expected, part, reply), ...waiting])
      if (deps.isOpen(request)) next()
  }

  return {
    stop,
    opened(request, stream) {
      request.caller.onRoom = () => {
        stream.isBlocked = false
        for (const producer of stream.producers.values())
          if (producer.received > producer.granted) give(request, producer)
      }
    },
    received(request, stream, attempt, data, reply) {
      if (stream.attempt !== 0 && stream.attempt !== attempt) {
        deps.onLate()
        stop(reply)
        return
      }
      const expected: Expected = {
        requestId: request.requestId,
        workflow: request.workflow.id,
        responseUrl: request.method.responseUrl,
        isStreaming: true,
        payloadBytesMax: deps.payloadBytesMax,
      }
      const answer = readAnswer(data, expected)
      if (answer.kind !== 'foreign' && answer.kind !== 'failure') stream.attempt = attempt
      onPart(request, stream, expected, answer, reply)
    },
    released(request, stream) {
      request.caller.onRoom = null
      for (const producer of stream.producers.values())
        if (!producer.hasEnded) stop(producer.creditSubject)
    },
  }
}

const FRAMES_LOST = 'messages of a node were lost on their way'
const STOP: Envelope = {
  ...emptyEnvelope(),
  messageType: MESSAGE_TYPE.error,
  error:
    'nobody takes messages of this stream any more: its caller has the whole answer, or has gone',
}
