/** The messages of ModelInfer, and what they mean. */
import { create, type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import {
  type InferParameter,
  type InferTensorContents,
  InferTensorContentsSchema,
  type ModelInferRequest,
  type ModelInferRequest_InferInputTensor,
  ModelInferResponseSchema,
} from '@kre/contracts/oip'
import { KreError, toKreError } from '@kre/contracts/runtime'
import type { Datatype, Element } from './datatype.ts'
import type { Inference } from './inference.ts'
import type { Parameter } from './inference-headers.ts'
import { decodeRaw, encodeRaw } from './raw-tensor.ts'
import {
  checkCount,
  datatypeNamed,
  elementCount,
  invalidTensor,
  refuseUnserved,
  type Tensor,
} from './tensor.ts'

export type GrpcInference = {
  readonly inference: Inference
  /** Its tensors are bytes, and those of the answer are to be. */
  readonly isRaw: boolean
}

/** @throws KreError `invalid-argument` that says what is wrong. */
export function readGrpcInference(request: ModelInferRequest): GrpcInference {
  const { id, inputs, outputs, rawInputContents: raw } = request
  const isRaw = raw.length > 0
  if (isRaw && raw.length !== inputs.length)
    throw new KreError(
      'invalid-argument',
      `the request has ${inputs.length} inputs and ${raw.length} raw_input_contents: one for each input, in order`,
    )
  for (const output of outputs)
    refuseUnserved(readParameters(output.parameters), `output "${output.name}"`)
  const inference = {
    id,
    parameters: readParameters(request.parameters),
    inputs: inputs.map((input, i) => readInput(input, raw[i])),
    outputs: outputs.map(({ name }) => name),
  }
  return { inference, isRaw }
}

/** @param version of the bundle that answered. */
export function writeGrpcAnswer(
  { modelName, id }: Pick<ModelInferRequest, 'modelName' | 'id'>,
  version: string,
  tensors: readonly Tensor[],
  isRaw: boolean,
): MessageShape<typeof ModelInferResponseSchema> {
  return create(ModelInferResponseSchema, {
    modelName,
    modelVersion: version,
    id,
    outputs: tensors.map((tensor) => writeOutput(tensor, isRaw)),
    rawOutputContents: isRaw
      ? tensors.map(({ datatype, elements }) => encodeRaw(datatype, elements))
      : [],
  })
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
  const own = readParameters(parameters)
  refuseUnserved(own, `input "${name}"`)
  const contentType = own.get('content_type') ?? null
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

/** @throws KreError `invalid-argument` when the bytes are no such message. */
export function readMessage<M extends DescMessage>(type: M, bytes: Uint8Array): MessageShape<M> {
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
