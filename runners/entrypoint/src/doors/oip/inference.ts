/** An inference, whichever form of the protocol it came in. */
import { KreError, toKreError } from '@kre/contracts/runtime'
import { createFailure, type Failure } from '../../grpc/failure.ts'
import { tooLarge } from '../../grpc/frame-reader.ts'
import { parseGrpcTimeout } from '../../grpc/grpc-timeout.ts'
import { RequestHeaders } from '../../http2/request-headers.ts'
import { typesOf } from '../../json/version-types.ts'
import type { Caller } from '../../requests/pending-request.ts'
import type { RequestBroker } from '../../requests/request-broker.ts'
import type { Model } from './model.ts'
import type { Tensor } from './tensor.ts'
import { checkOutputs, decodeAnswer, encodeRequest } from './tensor-message.ts'

export type Parameter = string | boolean | number | bigint

export type Inference = {
  readonly id: string
  readonly parameters: ReadonlyMap<string, Parameter>
  readonly inputs: readonly Tensor[]
  /** Names; empty = all. */
  readonly outputs: readonly string[]
}

/** Who asked: hears of the tensors, or of a failure, once. */
export type Asker = {
  onGone: (() => void) | null
  answer(tensors: readonly Tensor[], requestId: string): void
  fail(failure: Failure, requestId: string): void
}

/** Headers of the entrypoint and of everybody are not for parameters. */
const PARAMETER_PREFIX = 'x-krt-param-'
const PARAMETER_NAME = /^[\w.-]{1,128}$/
const PARAMETERS_MAX = 128
const TIMEOUT_PARAMETER = 'timeout_ms'
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Sends the request of an inference; its answer and everything that fails later goes to the asker.
 *
 * @param headers of the HTTP or gRPC request.
 * @throws KreError `invalid-argument` for what is wrong with the request itself.
 */
export function infer(
  deps: { broker: RequestBroker; payloadBytesMax: number },
  model: Model,
  inference: Inference,
  headers: RequestHeaders,
  asker: Asker,
): void {
  const { method, inputs, outputs } = model
  const { registry } = typesOf(method.served.version)
  checkOutputs(outputs, inference.outputs)
  const { message, contentType } = encodeRequest(inputs, inference.inputs, registry)
  const passed = inferenceHeaders(headers, inference)
  if (message.length > deps.payloadBytesMax) {
    asker.fail(tooLarge(message.length, deps.payloadBytesMax), '')
    return
  }
  const caller: Caller = {
    onGone: null,
    fail: (failure, requestId) => asker.fail(failure, requestId),
    answer(value, requestId) {
      let tensors: Tensor[]
      try {
        tensors = decodeAnswer(outputs, value, inference.outputs, contentType, registry)
      } catch (error) {
        return asker.fail(toFailure(error), requestId)
      }
      asker.answer(tensors, requestId)
    },
  }
  asker.onGone = () => caller.onGone?.()
  deps.broker.submit(caller, passed, method.served, message)
}

export function toFailure(error: unknown): Failure {
  const { code, message } = toKreError(error)
  return createFailure(code, REASONS[code] ?? 'OIP', message)
}

const REASONS: Readonly<Record<string, string>> = {
  unavailable: 'NO_VERSION',
  unimplemented: 'UNKNOWN_METHOD',
  'invalid-argument': 'BAD_INFERENCE',
  'not-found': 'UNKNOWN_MODEL',
  internal: 'MALFORMED_ANSWER',
}

/** Parameters become metadata, the id a request id where it can be one. */
function inferenceHeaders(from: RequestHeaders, { id, parameters }: Inference): RequestHeaders {
  const headers = new RequestHeaders()
  if (UUID.test(id)) headers.pairs.push('x-request-id', id)
  if (parameters.size > PARAMETERS_MAX)
    throw new KreError('invalid-argument', `more than ${PARAMETERS_MAX} parameters`)
  for (const [name, value] of parameters) {
    if (name === TIMEOUT_PARAMETER) {
      headers.pairs.push('grpc-timeout', shorterTimeout(from, value))
      continue
    }
    if (!PARAMETER_NAME.test(name))
      throw new KreError(
        'invalid-argument',
        `parameter "${name}" has a name that can't be metadata: use letters, digits, "_", "-" and "."`,
      )
    headers.pairs.push(PARAMETER_PREFIX + name, String(value))
  }
  headers.pairs.push(...from.pairs)
  return headers
}

/** The first of several headers of a name counts, so this one has to be the shorter of both. */
function shorterTimeout(headers: RequestHeaders, value: Parameter): string {
  const ms = Number(value)
  if (typeof value === 'boolean' || !Number.isInteger(ms) || ms < 0)
    throw new KreError(
      'invalid-argument',
      `parameter ${TIMEOUT_PARAMETER} is ${String(value)}: give milliseconds`,
    )
  const given = headers.get('grpc-timeout')
  const givenMs = parseGrpcTimeout(given)
  if (given !== undefined && (givenMs === null || givenMs < ms)) return given
  return `${Math.min(ms, 99_999_999)}m`
}
