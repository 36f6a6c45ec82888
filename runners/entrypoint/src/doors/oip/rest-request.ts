/** The body of an inference request over REST, with or without binary tensors behind the JSON. */
import { KreError } from '@kre/contracts/runtime'
import { parseJson } from '../../json/parse-json.ts'
import type { Datatype, Element } from './datatype.ts'
import type { Inference, Parameter } from './inference.ts'
import { decodeRaw } from './raw-tensor.ts'
import { checkCount, datatypeNamed, elementCount, invalidTensor, type Tensor } from './tensor.ts'
import { MESSAGE_JSON_TYPE } from './tensor-message.ts'

export type RestInference = {
  readonly inference: Inference
  /** Whether an output is to be sent as bytes. */
  readonly isBinary: (output: string) => boolean
}

/** Parameters that change the form of the request or its answer, and mean nothing to the workflow. */
const BINARY_OUTPUT = 'binary_data_output'
const UNSUPPORTED = ['classification', 'shared_memory_region']
const utf8 = new TextEncoder()

/**
 * @param jsonLength of the JSON in front of binary tensors; undefined = the whole body is JSON.
 * @throws KreError `invalid-argument` that says what is wrong.
 */
export function readRestInference(body: Buffer, jsonLength: string | undefined): RestInference {
  const { json, binary } = split(body, jsonLength)
  const request = objectOf(parseJson(json, exactNumber), 'the body')
  const id = request['id'] ?? ''
  if (typeof id !== 'string') throw wrong('"id" is no string')
  const parameters = readParameters(request['parameters'], 'parameters')
  const inputs = listOf(request['inputs'], '"inputs"')
  const reader = new BinaryReader(binary)
  const tensors = inputs.map((input, i) =>
    readInput(objectOf(input, `inputs[${i}]`), `inputs[${i}]`, reader),
  )
  reader.end()
  const asBytes = new Map<string, boolean>()
  const outputs = listOf(request['outputs'] ?? [], '"outputs"').map((output, i) => {
    const where = `outputs[${i}]`
    const fields = objectOf(output, where)
    const name = nameOf(fields, where)
    const own = readParameters(fields['parameters'], `${where}.parameters`)
    for (const parameter of UNSUPPORTED)
      if (own.has(parameter)) throw wrong(`${where}.parameters: ${parameter} is not served here`)
    const isBinary = own.get('binary_data')
    if (isBinary !== undefined)
      asBytes.set(name, flagOf(isBinary, `${where}.parameters.binary_data`))
    return name
  })
  const all = parameters.get(BINARY_OUTPUT)
  const isAllBinary = all !== undefined && flagOf(all, `parameters.${BINARY_OUTPUT}`)
  parameters.delete(BINARY_OUTPUT)
  return {
    inference: { id, parameters, inputs: tensors, outputs },
    isBinary: (output) => asBytes.get(output) ?? isAllBinary,
  }
}

function split(body: Buffer, jsonLength: string | undefined): { json: Buffer; binary: Buffer } {
  if (jsonLength === undefined) return { json: body, binary: Buffer.alloc(0) }
  const length = /^\d{1,10}$/.test(jsonLength) ? Number(jsonLength) : NaN
  if (!(length <= body.length))
    throw wrong(
      `Inference-Header-Content-Length is "${jsonLength}", and the body has ${body.length} bytes`,
    )
  return { json: body.subarray(0, length), binary: body.subarray(length) }
}

function readInput(input: JsonObject, where: string, reader: BinaryReader): Tensor {
  const name = nameOf(input, where)
  const typeName = input['datatype']
  if (typeof typeName !== 'string') throw wrong(`${where}.datatype is no string`)
  const datatype = datatypeNamed(typeName, name)
  const shape = listOf(input['shape'], `${where}.shape`).map((size) =>
    typeof size === 'bigint' ? Number(size) : (size as number),
  )
  const count = elementCount(shape, name)
  const parameters = readParameters(input['parameters'], `${where}.parameters`)
  const size = parameters.get('binary_data_size')
  const data = input['data']
  const given = parameters.get('content_type')
  const contentType = given === undefined ? null : String(given)
  if (size !== undefined) {
    if (data !== undefined) throw invalidTensor(name, 'has both data and binary_data_size')
    const bytes = reader.take(size, name)
    return { name, datatype, shape, contentType, elements: decodeRaw(datatype, bytes, count, name) }
  }
  if (data === undefined) throw invalidTensor(name, 'has neither data nor binary_data_size')
  const flat = flatten(listOf(data, `${where}.data`), shape, name)
  checkCount(name, shape, count, flat.length)
  return {
    name,
    datatype,
    shape,
    // Text in JSON can hold no serialized message, so that it is taken for the other form.
    contentType: contentType ?? MESSAGE_JSON_TYPE,
    elements: flat.map((value, i) => elementOf(datatype, value, name, i)),
  }
}

/** Data is flat, or nested just as the shape says. */
function flatten(data: readonly unknown[], shape: readonly number[], tensor: string): unknown[] {
  if (!data.some(Array.isArray)) return [...data]
  const visit = (part: unknown, level: number, into: unknown[]): unknown[] => {
    if (level === shape.length) into.push(part)
    else if (!Array.isArray(part) || part.length !== shape[level])
      throw invalidTensor(
        tensor,
        `has nested data that does not follow its shape [${shape.join(', ')}]`,
      )
    else for (const each of part) visit(each, level + 1, into)
    return into
  }
  return visit(data, 0, [])
}

function elementOf(datatype: Datatype, value: unknown, tensor: string, i: number): Element {
  const no = () =>
    invalidTensor(tensor, `has the element ${show(value)} at ${i}, which is no ${datatype.name}`)
  switch (datatype.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw no()
      return value
    case 'bytes':
      if (typeof value !== 'string' || !value.isWellFormed()) throw no()
      return utf8.encode(value)
    case 'float': {
      if (datatype.contents === null)
        throw invalidTensor(
          tensor,
          `is ${datatype.name}, which JSON can't hold: send it as binary data`,
        )
      if (typeof value !== 'number' && typeof value !== 'bigint') throw no()
      const float = Number(value)
      if (!Number.isFinite(datatype.bytes === 4 ? Math.fround(float) : float)) throw no()
      return float
    }
    case 'int':
    case 'bigint': {
      const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value)
      if (!isInteger || datatype.range === undefined) throw no()
      const integer = BigInt(value as number | bigint)
      if (integer < datatype.range[0] || integer > datatype.range[1]) throw no()
      return datatype.kind === 'int' ? Number(integer) : integer
    }
  }
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : String(JSON.stringify(value)).slice(0, 40)
}

/** Beyond 2^53: exact where it is an integer, a double otherwise. */
function exactNumber(source: string): number | bigint {
  return /^-?\d+$/.test(source) ? BigInt(source) : Number(source)
}

class BinaryReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(size: Parameter, tensor: string): Buffer {
    const end = this.#at + Number(size)
    const isSize = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
    if (!isSize || end > this.#bytes.length)
      throw invalidTensor(
        tensor,
        `has a binary_data_size of ${String(size)}, and ${this.#bytes.length - this.#at} bytes are left behind the JSON`,
      )
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  end(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) throw wrong(`${left} bytes behind the JSON belong to no input`)
  }
}

type JsonObject = Readonly<Record<string, unknown>>

function readParameters(value: unknown, where: string): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>()
  if (value === undefined || value === null) return parameters
  for (const [name, parameter] of Object.entries(objectOf(value, where))) {
    if (typeof parameter === 'object' || parameter === undefined)
      throw wrong(`${where}.${name} is no string, number or boolean`)
    parameters.set(name, parameter as Parameter)
  }
  return parameters
}

function flagOf(value: Parameter, where: string): boolean {
  if (typeof value !== 'boolean') throw wrong(`${where} is neither true nor false`)
  return value
}

function nameOf(fields: JsonObject, where: string): string {
  const name = fields['name']
  if (typeof name !== 'string' || name === '') throw wrong(`${where}.name is no name`)
  return name
}

function objectOf(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`${where} is no JSON object`)
  return value as JsonObject
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(`${where} is no JSON array`)
  return value as unknown[]
}

function wrong(message: string): KreError {
  return new KreError('invalid-argument', message)
}
