/** An inference, whichever form of the protocol it came in. */
import { KreError, toKreError } from '@kre/contracts/runtime'
import { createFailure, type Failure } from '../../grpc/failure.ts'
import { tooLarge } from '../../grpc/frame-reader.ts'
import type { RequestHeaders } from '../../http2/request-headers.ts'
import { typesOf } from '../../json/version-types.ts'
import type { Caller } from '../../requests/pending-request.ts'
import type { RequestBroker } from '../../requests/request-broker.ts'
import { inferenceHeaders, type Parameters } from './inference-headers.ts'
import { isDecoupled, type Model } from './model.ts'
import { countFailure, countSuccess, type InferenceTimes, startTimes } from './model-statistics.ts'
import type { Tensor } from './tensor.ts'
import { checkOutputs, decodeAnswer, encodeRequest } from './tensor-message.ts'

export type Inference = {
  readonly id: string
  readonly parameters: Parameters
  readonly inputs: readonly Tensor[]
  /** Names; empty = all. */
  readonly outputs: readonly string[]
}

/** Who asked: hears of the tensors, or of a failure, once. */
export type Asker = {
  /** Set by `infer`: the asker has gone. */
  onGone: (() => void) | null
  /** @throws KreError when the tensors have no form that the asker can be given. */
  answer(tensors: readonly Tensor[], requestId: string): void
  /** Ends an answer of several parts, too. */
  fail(failure: Failure, requestId: string): void
  /** For those who take answers of several parts. */
  readonly parts?: PartsAsker
}

export type PartsAsker = {
  /**
   * @returns false when the asker takes no more now: `onRoom` is called when it does.
   * @throws as `answer`.
   */
  write(tensors: readonly Tensor[], requestId: string): boolean
  end(requestId: string): void
  /** Set by `infer`. */
  onRoom: (() => void) | null
}

type InferDeps = { readonly broker: RequestBroker; readonly payloadBytesMax: number }

/**
 * Sends the request of an inference; its answer and everything that fails later goes to the asker.
 *
 * @param headers of the HTTP or gRPC request.
 * @throws KreError for what is wrong with the request itself; then the asker hears nothing.
 */
export function infer(
  deps: InferDeps,
  model: Model,
  inference: Inference,
  headers: RequestHeaders,
  asker: Asker,
): void {
  const times = startTimes()
  try {
    submit(deps, model, inference, headers, asker, times)
  } catch (error) {
    countFailure(model, times)
    throw error
  }
}

function submit(
  deps: InferDeps,
  model: Model,
  inference: Inference,
  headers: RequestHeaders,
  asker: Asker,
  times: InferenceTimes,
): void {
  const { method, inputs, outputs } = model
  const { registry } = typesOf(method.served.version)
  if (isDecoupled(model) && asker.parts === undefined) throw manyAnswers(model)
  checkOutputs(outputs, inference.outputs)
  const { message, contentType } = encodeRequest(inputs, inference.inputs, registry)
  const passed = inferenceHeaders(headers, inference)
  const decode = (value: Uint8Array) =>
    decodeAnswer(outputs, value, inference.outputs, contentType, registry)
  const caller = createCaller(model, asker, times, decode)
  asker.onGone = () => caller.onGone?.()
  if (message.length > deps.payloadBytesMax) {
    caller.fail(tooLarge(message.length, deps.payloadBytesMax), '')
    return
  }
  times.submittedAt = performance.now()
  deps.broker.submit(caller, passed, method.served, message)
}

function createCaller(
  model: Model,
  asker: Asker,
  times: InferenceTimes,
  decode: (value: Uint8Array) => Tensor[],
): Caller {
  const { parts } = asker
  const fail = (failure: Failure, requestId: string) => {
    countFailure(model, times)
    asker.fail(failure, requestId)
  }
  /** Gives the asker what came; undefined = it can't be given, and the inference has failed. */
  const give = <T>(value: Uint8Array, requestId: string, to: (tensors: Tensor[]) => T) => {
    const before = performance.now()
    try {
      const given = to(decode(value))
      times.outputMs += performance.now() - before
      return { given }
    } catch (error) {
      // Nobody reads what else may come of a stream.
      const gone = caller.onGone
      fail(toFailure(error), requestId)
      gone?.()
      return undefined
    }
  }
  const caller: Caller = {
    onGone: null,
    fail,
    answer(value, requestId) {
      const isGiven = give(value, requestId, (tensors) => asker.answer(tensors, requestId))
      if (isGiven !== undefined) countSuccess(model, times)
    },
  }
  if (parts === undefined) return caller
  parts.onRoom = () => caller.onRoom?.()
  return Object.assign(caller, {
    onRoom: null,
    write: (value: Uint8Array, requestId: string) =>
      give(value, requestId, (tensors) => parts.write(tensors, requestId))?.given ?? true,
    end(requestId: string) {
      countSuccess(model, times)
      parts.end(requestId)
    },
  })
}

/** Longest text of a failure, in characters: names in it are the caller's, and as long as they like. */
const MESSAGE_CHARS_MAX = 2_000

export function toFailure(error: unknown): Failure {
  const { code, message } = toKreError(error)
  const text =
    message.length <= MESSAGE_CHARS_MAX ? message : `${message.slice(0, MESSAGE_CHARS_MAX)}…`
  return createFailure(code, REASONS[code] ?? 'OIP', text)
}

const REASONS: Readonly<Record<string, string>> = {
  unavailable: 'NO_VERSION',
  unimplemented: 'UNKNOWN_METHOD',
  'invalid-argument': 'BAD_INFERENCE',
  'not-found': 'UNKNOWN_MODEL',
  internal: 'MALFORMED_ANSWER',
}

function manyAnswers({ method }: Model): KreError {
  return new KreError(
    'unimplemented',
    `workflow "${method.served.workflow.id}" answers with a stream, which one answer can't hold: use ModelStreamInfer, or generate_stream for texts`,
  )
}
