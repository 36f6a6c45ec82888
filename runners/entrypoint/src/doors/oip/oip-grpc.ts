/** service inference.GRPCInferenceService. */
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import {
  GRPCInferenceService,
  type InferParameter,
  type InferTensorContents,
  InferTensorContentsSchema,
  type ModelInferRequest,
  type ModelInferRequest_InferInputTensor,
  ModelInferResponseSchema,
} from '@kre/contracts/oip'
import { KreError, toKreError } from '@kre/contracts/runtime'
import type { RequestHeaders } from '../../http2/request-headers.ts'
import type { Caller } from '../../requests/pending-request.ts'
import type { Datatype, Element } from './datatype.ts'
import { type Asker, infer, type Parameter, toFailure } from './inference.ts'
import { findModel, type Model } from './model.ts'
import {
  describeModel,
  describeServer,
  isReady,
  isServerReady,
  type OipDeps,
  PLATFORM,
  repositoryIndex,
  versionInForce,
} from './oip-service.ts'
import { decodeRaw, encodeRaw } from './raw-tensor.ts'
import { checkCount, datatypeNamed, elementCount, invalidTensor, type Tensor } from './tensor.ts'

const { method, typeName: OIP_SERVICE } = GRPCInferenceService

/** @param rpc name of the service's method. */
export type OipGrpc = (
  rpc: string,
  caller: Caller,
  headers: RequestHeaders,
  message: Uint8Array,
) => void

export function createOipGrpc(deps: OipDeps): OipGrpc {
  return (rpc, caller, headers, message) => {
    const answer = <M extends DescMethod>(
      { output }: M,
      value: Parameters<typeof create<M['output']>>[1],
    ) => caller.answer(toBinary(output, create(output, value)), '')
    try {
      switch (rpc) {
        case 'ServerLive':
          return answer(method.serverLive, { live: true })
        case 'ServerReady':
          return answer(method.serverReady, { ready: isServerReady(deps) })
        case 'ServerMetadata':
          return answer(method.serverMetadata, describeServer())
        case 'ModelReady': {
          const { name, version } = read(method.modelReady.input, message)
          const model = findModel(versionInForce(deps), name, version)
          return answer(method.modelReady, { ready: isReady(deps, model) })
        }
        case 'ModelMetadata': {
          const { name, version } = read(method.modelMetadata.input, message)
          const model = findModel(versionInForce(deps), name, version)
          return answer(method.modelMetadata, { name, ...metadataOf(model) })
        }
        case 'RepositoryIndex': {
          const { ready } = read(method.repositoryIndex.input, message)
          return answer(method.repositoryIndex, { models: repositoryIndex(deps, ready) })
        }
        case 'ModelInfer':
          return modelInfer(deps, read(method.modelInfer.input, message), headers, caller)
        default:
          throw new KreError('unimplemented', `rpc "${rpc}" of ${OIP_SERVICE} is not served here`)
      }
    } catch (error) {
      deps.onRefused()
      caller.fail(toFailure(error), '')
    }
  }
}

function modelInfer(
  deps: OipDeps,
  request: ModelInferRequest,
  headers: RequestHeaders,
  caller: Caller,
): void {
  const version = versionInForce(deps)
  const model = findModel(version, request.modelName, request.modelVersion)
  const isRaw = request.rawInputContents.length > 0
  if (isRaw && request.rawInputContents.length !== request.inputs.length)
    throw new KreError(
      'invalid-argument',
      `the request has ${request.inputs.length} inputs and ${request.rawInputContents.length} raw_input_contents: one for each input, in order`,
    )
  const inference = {
    id: request.id,
    parameters: readParameters(request.parameters),
    inputs: request.inputs.map((input, i) => readInput(input, request.rawInputContents[i])),
    outputs: request.outputs.map(({ name }) => name),
  }
  const asker: Asker = {
    onGone: null,
    fail: (failure, requestId) => caller.fail(failure, requestId),
    answer(tensors, requestId) {
      const response = create(ModelInferResponseSchema, {
        modelName: request.modelName,
        modelVersion: version.ref.version,
        id: request.id,
        outputs: tensors.map((tensor) => writeOutput(tensor, isRaw)),
        rawOutputContents: isRaw
          ? tensors.map(({ datatype, elements }) => encodeRaw(datatype, elements))
          : [],
      })
      caller.answer(toBinary(ModelInferResponseSchema, response), requestId)
    },
  }
  caller.onGone = () => asker.onGone?.()
  infer(deps, model, inference, headers, asker)
}

function readInput(
  {
    name,
    datatype: typeName,
    shape: sizes,
    parameters,
    contents,
  }: ModelInferRequest_InferInputTensor,
  raw: Uint8Array | undefined,
): Tensor {
  const datatype = datatypeNamed(typeName, name)
  const shape = sizes.map(Number)
  const count = elementCount(shape, name)
  const contentType = readParameters(parameters).get('content_type') ?? null
  const tensor = {
    name,
    datatype,
    shape,
    contentType: contentType === null ? null : String(contentType),
  }
  if (raw !== undefined) {
    if (contents !== undefined)
      throw invalidTensor(name, 'has contents, and the request has raw_input_contents: use one')
    return { ...tensor, elements: decodeRaw(datatype, raw, count, name) }
  }
  const elements = readContents(datatype, contents, name)
  checkCount(name, shape, count, elements.length)
  return { ...tensor, elements }
}

function readContents(
  datatype: Datatype,
  contents: InferTensorContents | undefined,
  tensor: string,
): readonly Element[] {
  if (datatype.contents === null)
    throw invalidTensor(tensor, `is ${datatype.name}, which only raw_input_contents can hold`)
  for (const { localName, name } of InferTensorContentsSchema.fields) {
    const values = contents?.[localName as keyof InferTensorContents]
    if (localName !== datatype.contents && Array.isArray(values) && values.length > 0)
      throw invalidTensor(tensor, `is ${datatype.name}, and has ${name}`)
  }
  const values: readonly Element[] = contents?.[datatype.contents] ?? []
  const { range } = datatype
  if (range !== undefined && datatype.kind === 'int')
    for (const value of values as readonly number[])
      if (value < range[0] || value > range[1])
        throw invalidTensor(tensor, `has the element ${value}, which is no ${datatype.name}`)
  return values
}

function writeOutput({ name, datatype, shape, elements, contentType }: Tensor, isRaw: boolean) {
  const { contents } = datatype
  return {
    name,
    datatype: datatype.name,
    shape: shape.map(BigInt),
    ...(contentType === null ? {} : { parameters: { content_type: text(contentType) } }),
    ...(isRaw || contents === null
      ? {}
      : { contents: create(InferTensorContentsSchema, { [contents]: elements }) }),
  }
}

function text(value: string) {
  return { parameterChoice: { case: 'stringParam' as const, value } }
}

function readParameters(
  parameters: Readonly<Record<string, InferParameter>>,
): ReadonlyMap<string, Parameter> {
  const read = new Map<string, Parameter>()
  for (const [name, { parameterChoice }] of Object.entries(parameters)) {
    if (parameterChoice.case === undefined)
      throw new KreError('invalid-argument', `parameter "${name}" has no value`)
    read.set(name, parameterChoice.value)
  }
  return read
}

function metadataOf(model: Model) {
  const { inputs, outputs, ...more } = describeModel(model)
  const tensors = (side: typeof inputs) =>
    side.map((tensor) => ({ ...tensor, shape: tensor.shape.map(BigInt) }))
  return { ...more, platform: PLATFORM, inputs: tensors(inputs), outputs: tensors(outputs) }
}

function read<M extends DescMessage>(type: M, bytes: Uint8Array): MessageShape<M> {
  try {
    return fromBinary(type, bytes)
  } catch (cause) {
    throw new KreError(
      'invalid-argument',
      `the message is not a ${type.typeName}: ${toKreError(cause).message}`,
      {},
      { cause },
    )
  }
}
