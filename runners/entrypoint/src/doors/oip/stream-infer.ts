/** ModelStreamInfer: inferences of one stream, each answered in its turn; what fails of them does not end the stream. */
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type ModelInferRequest,
  ModelInferRequestSchema,
  type ModelInferResponse,
  ModelInferResponseSchema,
  ModelStreamInferResponseSchema,
} from '@kre/contracts/oip'
import type { Failure } from '../../grpc/failure.ts'
import type { CallContext } from '../../grpc/unary-call.ts'
import type { Http2Stream } from '../../http2/http2-stream.ts'
import { RequestHeaders } from '../../http2/request-headers.ts'
import { readGrpcInference, readMessage, writeGrpcAnswer } from './grpc-inference.ts'
import { type Asker, type Inference, infer, toFailure } from './inference.ts'
import { findModel, isDecoupled } from './model.ts'
import { type OipDeps, versionInForce } from './oip-service.ts'
import { type OpenStream, serveMessageStream } from './message-stream.ts'
import type { Job, Turn } from './ordered-answers.ts'

/** Whether the answer is the last one of its request. */
const FINAL = 'triton_final_response'
/** Asked for by clients that want to be told when a request of many answers has no more. */
const WANTS_EMPTY_FINAL = 'triton_enable_empty_final_response'

/** @param open has the stream in it while it lasts. */
export function serveStreamInfer(
  deps: OipDeps & { readonly calls: CallContext },
  stream: Http2Stream,
  open: Set<OpenStream>,
): void {
  serveMessageStream(deps.calls, stream, open, (message, leftMs) => {
    try {
      const headers = () => messageHeaders(stream.headers, leftMs())
      return jobOf(deps, readMessage(ModelInferRequestSchema, message), headers)
    } catch (error) {
      return failing(deps, { modelName: '', modelVersion: '', id: '' }, error)
    }
  })
}

/** Those of the stream with what is left of its deadline, and without what names one request. */
function messageHeaders(of: RequestHeaders, leftMs: number): RequestHeaders {
  const headers = new RequestHeaders()
  for (let i = 0; i < of.pairs.length; i += 2) {
    const name = of.pairs[i] ?? ''
    if (name === 'grpc-timeout' || name === 'x-request-id') continue
    headers.pairs.push(name, of.pairs[i + 1] ?? '')
  }
  if (leftMs !== Infinity)
    headers.pairs.push(
      'grpc-timeout',
      `${Math.min(Math.max(0, Math.ceil(leftMs)), TIMEOUT_MS_MAX)}m`,
    )
  return headers
}

/** `grpc-timeout` has no more digits. */
const TIMEOUT_MS_MAX = 99_999_999

type Named = Pick<ModelInferRequest, 'modelName' | 'modelVersion' | 'id'>

function jobOf(deps: OipDeps, request: ModelInferRequest, headers: () => RequestHeaders): Job {
  try {
    const version = versionInForce(deps)
    const model = findModel(version, request.modelName, request.modelVersion)
    const { inference, isRaw } = readGrpcInference(request)
    const { wanted, isFinalWanted } = takeFinalWanted(inference)
    const answerOf: AnswerOf = (tensors) =>
      writeGrpcAnswer(request, version.ref.version, tensors, isRaw)
    return {
      isLong: isDecoupled(model),
      run(turn) {
        const asker = createAsker(turn, request, answerOf, isFinalWanted)
        turn.onGone = () => asker.onGone?.()
        try {
          infer(deps, model, wanted, headers(), asker)
        } catch (error) {
          failing(deps, request, error).run(turn)
        }
      },
    }
  } catch (error) {
    return failing(deps, request, error)
  }
}

type AnswerOf = (tensors: Parameters<Asker['answer']>[0]) => ModelInferResponse

function createAsker(
  turn: Turn,
  request: Named,
  answerOf: AnswerOf,
  isFinalWanted: boolean,
): Asker {
  const parts: NonNullable<Asker['parts']> = {
    onRoom: null,
    write: (tensors) => turn.write(encode(answerOf(tensors), false)),
    end() {
      if (isFinalWanted) turn.write(encode(answerOf([]), true))
      turn.end()
    },
  }
  turn.onRoom = () => parts.onRoom?.()
  return {
    onGone: null,
    parts,
    answer(tensors) {
      turn.write(encode(answerOf(tensors), true))
      turn.end()
    },
    fail: (failure) => writeFailure(turn, request, failure),
  }
}

/** A request that never becomes one. */
function failing(deps: OipDeps, request: Named, error: unknown): Job {
  return {
    isLong: false,
    run(turn) {
      const failure = toFailure(error)
      deps.onRefused(failure.reason)
      writeFailure(turn, request, failure)
    },
  }
}

function writeFailure(turn: Turn, { modelName, modelVersion, id }: Named, failure: Failure): void {
  const names = create(ModelInferResponseSchema, { modelName, modelVersion, id })
  turn.write(encode(names, true, failure.message.toWellFormed()))
  turn.end()
}

function encode(
  inferResponse: ModelInferResponse,
  isFinal: boolean,
  errorMessage = '',
): Uint8Array {
  inferResponse.parameters[FINAL] = {
    $typeName: 'inference.InferParameter',
    parameterChoice: { case: 'boolParam', value: isFinal },
  }
  const response = create(ModelStreamInferResponseSchema, { errorMessage, inferResponse })
  return toBinary(ModelStreamInferResponseSchema, response)
}

/** The parameter is about the stream, and means nothing to the workflow. */
function takeFinalWanted(inference: Inference): { wanted: Inference; isFinalWanted: boolean } {
  const parameters = new Map(inference.parameters)
  const isFinalWanted = parameters.get(WANTS_EMPTY_FINAL) === true
  parameters.delete(WANTS_EMPTY_FINAL)
  return { wanted: { ...inference, parameters }, isFinalWanted }
}
