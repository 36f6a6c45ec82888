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
import { readAnswer } from './read-answer.ts'
import * as failures from './request-failures.ts'

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
  payloadBytesMax: number
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
      const answer = readAnswer(data, {
        requestId: request.requestId,
        workflow: request.workflow.id,
        responseUrl: request.method.responseUrl,
        isStreaming: true,
        payloadBytesMax: deps.payloadBytesMax,
      })
      switch (answer.kind) {
        case 'foreign':
          deps.onLate()
          return
        case 'failure':
          deps.fail(request, answer.failure)
          return
        case 'value':
          stream.attempt = attempt
          if (onFrame(request, stream, reply, answer) && answer.endsWorkflow)
            deps.complete(request, true)
          return
        case 'end':
          stream.attempt = attempt
          if (takeEnd(stream, reply, answer.frames) === 'complete') deps.complete(request, false)
          else deps.abandon(request, failures.streamCut(request, FRAMES_LOST))
      }
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
