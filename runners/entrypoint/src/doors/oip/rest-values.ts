/** What the parts of a JSON body may be. */
import { KreError } from '@kre/contracts/runtime'
import { parseJson } from '../../json/parse-json.ts'
import type { Datatype, Element } from './datatype.ts'
import type { Parameter } from './inference-headers.ts'
import { invalidTensor } from './tensor.ts'

const utf8 = new TextEncoder()

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws KreError `invalid-argument` when it is no JSON object; numbers are exact. */
export function parseBody(bytes: Uint8Array): JsonObject {
  return objectOf(parseJson(bytes, exactNumber), 'the body')
}

export function readParameters(value: unknown, where: string): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>()
  if (value === undefined || value === null) return parameters
  for (const [name, parameter] of Object.entries(objectOf(value, where))) {
    parameters.set(name, parameterOf(parameter, `${where}.${name}`))
  }
  return parameters
}

/** @throws KreError `invalid-argument` for what the protocol's parameters can't be. */
export function parameterOf(value: unknown, where: string): Parameter {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'bigint' && value >= -(2n ** 63n) && value < 2n ** 64n) return value
  throw wrong(`${where} is no string, boolean, double or integer of 64 bits`)
}

export function objectOf(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`${where} is no JSON object`)
  return value as JsonObject
}

export function listOf(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(`${where} is no JSON array`)
  return value as unknown[]
}

export function elementOf(datatype: Datatype, value: unknown, tensor: string, i: number): Element {
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

export function wrong(message: string): KreError {
  return new KreError('invalid-argument', message)
}
