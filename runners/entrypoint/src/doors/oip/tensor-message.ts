/** Tensors to the message of a request, and the message of an answer to tensors. */
import {
  create,
  fromBinary,
  isFieldSet,
  type Message,
  type Registry,
  ScalarType,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import { KreError, toKreError } from '@kre/contracts/runtime'
import { decodeJson } from '../../json/decode-json.ts'
import { parseJson } from '../../json/parse-json.ts'
import type { Element } from './datatype.ts'
import type { ScalarField, Side, TensorSpec } from './model.ts'
import { invalidTensor, type Tensor } from './tensor.ts'

export const PROTOBUF_TYPE = 'application/x-protobuf'
export const MESSAGE_JSON_TYPE = 'application/json'

export type EncodedRequest = {
  readonly message: Uint8Array
  /** How an answer that is one tensor is to be written. */
  readonly contentType: string
}

/**
 * @throws KreError `invalid-argument` for a tensor that is unknown, missing, there twice, or not what the model wants.
 */
export function encodeRequest(
  side: Side,
  tensors: readonly Tensor[],
  registry: Registry,
): EncodedRequest {
  const byName = new Map<string, Tensor>()
  for (const tensor of tensors) {
    const spec = side.specs.find(({ name }) => name === tensor.name)
    if (spec === undefined)
      throw invalidTensor(tensor.name, `is not one of the model's inputs: ${namesOf(side.specs)}`)
    if (byName.has(tensor.name)) throw invalidTensor(tensor.name, 'is there twice')
    checkFits(spec, tensor)
    byName.set(tensor.name, tensor)
  }
  for (const { name, isOptional } of side.specs)
    if (!isOptional && !byName.has(name)) throw invalidTensor(name, 'is missing from the inputs')
  const [whole] = tensors
  if (side.specs[0]?.field === null && whole !== undefined)
    return encodeWhole(side, whole, registry)
  const message = create(side.message) as Message & Record<string, unknown>
  for (const { name, field } of side.specs) {
    const tensor = byName.get(name)
    if (tensor === undefined || field === null) continue
    const values = tensor.elements.map((element) => toField(field, element, name))
    message[field.localName] = field.fieldKind === 'list' ? values : values[0]
  }
  return { message: toBinary(side.message, message), contentType: PROTOBUF_TYPE }
}

/**
 * @param wanted names of outputs; empty = all.
 * @throws KreError `internal` when the bytes are no such message.
 */
export function decodeAnswer(
  side: Side,
  bytes: Uint8Array,
  wanted: readonly string[],
  contentType: string,
  registry: Registry,
): Tensor[] {
  let message: Message & Record<string, unknown>
  try {
    message = fromBinary(side.message, bytes) as Message & Record<string, unknown>
  } catch (cause) {
    throw new KreError(
      'internal',
      `the workflow's answer is not a ${side.message.typeName}: ${toKreError(cause).message}`,
      {},
      { cause },
    )
  }
  // As it was asked for, in that order.
  const specs =
    wanted.length === 0
      ? side.specs
      : wanted.flatMap((name) => side.specs.filter((spec) => spec.name === name))
  return specs
    .filter(({ field, isOptional }) => field === null || !isOptional || isFieldSet(message, field))
    .map(({ name, datatype, field }) => {
      if (field === null) {
        const isJson = contentType === MESSAGE_JSON_TYPE
        const json = () => toJson(side.message, message, { registry, alwaysEmitImplicit: true })
        const element = isJson ? Buffer.from(JSON.stringify(json())) : bytes
        return { name, datatype, shape: [1], elements: [element], contentType }
      }
      const value = message[field.localName]
      const values: readonly unknown[] = field.fieldKind === 'list' ? (value as unknown[]) : [value]
      const elements = values.map((each) => toElement(field, each))
      return { name, datatype, shape: [elements.length], elements, contentType: null }
    })
}

/** @throws KreError `invalid-argument` for an output that is unknown, or asked for twice. */
export function checkOutputs(side: Side, wanted: readonly string[]): void {
  for (const [i, name] of wanted.entries()) {
    if (!side.specs.some((spec) => spec.name === name))
      throw new KreError(
        'invalid-argument',
        `output "${name}" is not one of the model's outputs: ${namesOf(side.specs)}`,
      )
    if (wanted.indexOf(name) !== i)
      throw new KreError('invalid-argument', `output "${name}" is asked for twice`)
  }
}

function checkFits(spec: TensorSpec, { name, datatype, shape }: Tensor): void {
  if (datatype.name !== spec.datatype.name)
    throw invalidTensor(name, `is ${datatype.name}, and the model takes ${spec.datatype.name}`)
  const [size] = spec.shape
  if (shape.length !== 1 || (size !== -1 && shape[0] !== size))
    throw invalidTensor(
      name,
      `has the shape [${shape.join(', ')}], and the model takes [${spec.shape.join(', ')}]`,
    )
}

function encodeWhole(side: Side, tensor: Tensor, registry: Registry): EncodedRequest {
  const contentType = tensor.contentType ?? PROTOBUF_TYPE
  const bytes = tensor.elements[0] as Uint8Array
  const { message: type } = side
  if (contentType === MESSAGE_JSON_TYPE) {
    const json = parseJson(bytes) as Parameters<typeof decodeJson>[1]
    return { message: toBinary(type, decodeJson(type, json, registry)), contentType }
  }
  if (contentType !== PROTOBUF_TYPE)
    throw invalidTensor(
      tensor.name,
      `has the content_type "${contentType}": use ${PROTOBUF_TYPE} or ${MESSAGE_JSON_TYPE}`,
    )
  try {
    fromBinary(type, bytes)
  } catch (error) {
    throw invalidTensor(tensor.name, `is not a ${type.typeName}: ${toKreError(error).message}`)
  }
  return { message: bytes, contentType }
}

function toField(field: ScalarField, element: Element, tensor: string): unknown {
  if (field.scalar === ScalarType.STRING) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        element as Uint8Array,
      )
    } catch (cause) {
      throw new KreError(
        'invalid-argument',
        `tensor "${tensor}" has an element that is not UTF-8, and the model takes texts`,
        {},
        { cause },
      )
    }
  }
  return typeof element === 'bigint' && 'longAsString' in field && field.longAsString
    ? String(element)
    : element
}

function toElement(field: ScalarField, value: unknown): Element {
  if (field.scalar === ScalarType.STRING) return Buffer.from(value as string)
  const isLongText = typeof value === 'string'
  return isLongText ? BigInt(value) : (value as Element)
}

function namesOf(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => name).join(', ')
}
