/** service inference.GRPCInferenceService. */
import {
  create,
  type DescMethodUnary,
  fromJson,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf'
import {
  GRPCInferenceService,
  ModelConfigSchema,
  ModelInferResponseSchema,
  ModelStatisticsSchema,
} from '@kre/contracts/oip'
import { KreError } from '@kre/contracts/runtime'
import type { CallContext } from '../../grpc/unary-call.ts'
import type { Http2Stream } from '../../http2/http2-stream.ts'
import type { RequestHeaders } from '../../http2/request-headers.ts'
import type { Caller } from '../../requests/pending-request.ts'
import { readGrpcInference, readMessage, writeGrpcAnswer } from './grpc-inference.ts'
import { type Asker, infer, toFailure } from './inference.ts'
import type { OpenStream } from './message-stream.ts'
import { findModel, type Model, PLATFORM } from './model.ts'
import { describeConfig } from './model-config.ts'
import {
  describeModel,
  describeServer,
  isReady,
  isServerReady,
  modelStatistics,
  NO_LOADING,
  type OipDeps,
  repositoryIndex,
  versionInForce,
} from './oip-service.ts'
import { serveStreamInfer } from './stream-infer.ts'

const { method, typeName: OIP_SERVICE } = GRPCInferenceService

export type OipGrpc = {
  /** @param rpc name of the service's method. */
  serveUnary(rpc: string, caller: Caller, headers: RequestHeaders, message: Uint8Array): void
  /** ModelStreamInfer. */
  serveStream(stream: Http2Stream): void
  /** Streams take no more requests, and end when those they have are answered. */
  drain(): void
}

export function createOipGrpc(deps: OipDeps & { readonly calls: CallContext }): OipGrpc {
  const open = new Set<OpenStream>()
  return {
    serveStream: (stream) => serveStreamInfer(deps, stream, open),
    drain() {
      for (const stream of open) stream.drain()
    },
    serveUnary(rpc, caller, headers, message) {
      try {
        if (rpc === method.modelInfer.name) modelInfer(deps, message, headers, caller)
        else caller.answer(answerOf(deps, rpc, message), '')
      } catch (error) {
        const failure = toFailure(error)
        deps.onRefused(failure.reason)
        caller.fail(failure, '')
      }
    },
  }
}

/** Of all that is known without asking a node. */
function answerOf(deps: OipDeps, rpc: string, bytes: Uint8Array): Uint8Array {
  const model = (name: string, version: string) => findModel(versionInForce(deps), name, version)
  switch (rpc) {
    case 'ServerLive':
      return write(method.serverLive, { live: true })
    case 'ServerReady':
      return write(method.serverReady, { ready: isServerReady(deps) })
    case 'ServerMetadata':
      return write(method.serverMetadata, describeServer(deps))
    case 'ModelReady': {
      const { name, version } = readMessage(method.modelReady.input, bytes)
      return write(method.modelReady, { ready: isReady(deps, model(name, version)) })
    }
    case 'ModelMetadata': {
      const { name, version } = readMessage(method.modelMetadata.input, bytes)
      return write(method.modelMetadata, { name, ...metadataOf(model(name, version)) })
    }
    case 'ModelConfig': {
      const { name, version } = readMessage(method.modelConfig.input, bytes)
      return write(method.modelConfig, {
        config: fromJson(ModelConfigSchema, describeConfig(name, model(name, version))),
      })
    }
    case 'ModelStatistics': {
      const { name, version } = readMessage(method.modelStatistics.input, bytes)
      const stats = modelStatistics(versionInForce(deps), name, version)
      const modelStats = stats.map((each) => fromJson(ModelStatisticsSchema, each))
      return write(method.modelStatistics, { modelStats })
    }
    case 'RepositoryIndex': {
      const { ready } = readMessage(method.repositoryIndex.input, bytes)
      return write(method.repositoryIndex, { models: repositoryIndex(deps, ready) })
    }
    case 'RepositoryModelLoad':
    case 'RepositoryModelUnload':
      throw new KreError('unimplemented', NO_LOADING)
    default:
      throw new KreError('unimplemented', `rpc "${rpc}" of ${OIP_SERVICE} is not served here`)
  }
}

function modelInfer(
  deps: OipDeps,
  bytes: Uint8Array,
  headers: RequestHeaders,
  caller: Caller,
): void {
  const request = readMessage(method.modelInfer.input, bytes)
  const version = versionInForce(deps)
  const model = findModel(version, request.modelName, request.modelVersion)
  const { inference, isRaw } = readGrpcInference(request)
  const asker: Asker = {
    onGone: null,
    fail: (failure, requestId) => caller.fail(failure, requestId),
    answer(tensors, requestId) {
      const response = writeGrpcAnswer(request, version.ref.version, tensors, isRaw)
      caller.answer(toBinary(ModelInferResponseSchema, response), requestId)
    },
  }
  caller.onGone = () => asker.onGone?.()
  infer(deps, model, inference, headers, asker)
}

function metadataOf(model: Model) {
  const { inputs, outputs, ...more } = describeModel(model)
  const tensors = (side: typeof inputs) =>
    side.map((tensor) => ({ ...tensor, shape: tensor.shape.map(BigInt) }))
  return { ...more, platform: PLATFORM, inputs: tensors(inputs), outputs: tensors(outputs) }
}

function write<M extends DescMethodUnary>(
  { output }: M,
  value: MessageInitShape<M['output']>,
): Uint8Array {
  return toBinary(output, create(output, value))
}
