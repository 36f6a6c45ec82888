/** The body of an inference request over REST, with or without binary tensors behind the JSON. */
import type { Inference } from './inference.ts'
import type { Parameter } from './inference-headers.ts'
import { decodeRaw } from './raw-tensor.ts'
import {
  checkCount,
  datatypeNamed,
  elementCount,
  invalidTensor,
  refuseUnserved,
  type Tensor,
} from './tensor.ts'
import {
  elementOf,
  type JsonObject,
  listOf,
  objectOf,
  parseBody,
  readParameters,
  wrong,
} from './rest-values.ts'
import { MESSAGE_JSON_TYPE } from './tensor-message.ts'

export type RestInference = {
  readonly inference: Inference
  /** Whether an output is to be sent as bytes. */
  readonly isBinary: (output: string) => boolean
}

/** Parameters that change the form of the request or its answer, and mean nothing to the workflow. */
const BINARY_OUTPUT = 'binary_data_output'

/**
 * @param jsonLength of the JSON in front of binary tensors; undefined = the whole body is JSON.
 * @throws KreError `invalid-argument` that says what is wrong.
 */
export function readRestInference(body: Buffer, jsonLength: string | undefined): RestInference {
  const { json, binary } = split(body, jsonLength)
  const request = parseBody(json)
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
    refuseUnserved(own, where)
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
  refuseUnserved(parameters, where)
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

function flagOf(value: Parameter, where: string): boolean {
  if (typeof value !== 'boolean') throw wrong(`${where} is neither true nor false`)
  return value
}

function nameOf(fields: JsonObject, where: string): string {
  const name = fields['name']
  if (typeof name !== 'string' || name === '') throw wrong(`${where}.name is no name`)
  return name
}
