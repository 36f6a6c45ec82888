/** From the encoded values of a field to the elements of a tensor. */
import { KreError } from '@kre/contracts/runtime'
import type { FieldKind, FieldRef, TensorType } from '@kre/contracts/model'
import { toHalf } from './half-float.ts'
import {
  bytesOf,
  elementBytes,
  INTEGER_RANGES,
  makeArray,
  type NumberArray,
  type TensorData,
} from './tensor.ts'
import { malformed, WIRE, wireTypeOf, type Spans } from './wire-fields.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })
/** Kinds whose encoding is the tensor's own. */
const SAME_BYTES: Readonly<Partial<Record<FieldKind, TensorType>>> = {
  float: 'float32',
  double: 'float64',
  fixed32: 'uint32',
  sfixed32: 'int32',
  fixed64: 'uint64',
  sfixed64: 'int64',
}
const UNSIGNED: ReadonlySet<FieldKind> = new Set(['uint32', 'uint64', 'fixed32', 'fixed64', 'bool'])

/** Varints of which 32 bits count, whatever is sent. */
const NARROW: ReadonlySet<FieldKind> = new Set(['int32', 'uint32', 'sint32', 'bool', 'enum'])

/** @throws KreError `invalid-argument` for values that the tensor can't hold. */
export function readValues(
  bytes: Uint8Array,
  spans: Spans,
  field: FieldRef,
  tensor: { readonly name: string; readonly type: TensorType },
): TensorData {
  if (tensor.type === 'string') return readTexts(bytes, spans, field)
  if (field.kind === 'bytes') return readRaw(bytes, spans, field, tensor.name, tensor.type)
  const width = widthOf(field.kind)
  const count = countValues(bytes, spans, width)
  // proto3 leaves a single value out when it is 0.
  if (count === 0 && !field.isRepeated) return makeArray(tensor.type, 1)
  const data = makeArray(tensor.type, count)
  if (SAME_BYTES[field.kind] === tensor.type) copyBytes(bytes, spans, bytesOf(data))
  else if (field.kind === 'float' || field.kind === 'double')
    readFloats(bytes, spans, width, data, tensor.type)
  else readIntegers(bytes, spans, { field, tensor, width }, data)
  return data
}

/** Bytes of one value; 0 = a varint. */
function widthOf(kind: FieldKind): number {
  const wireType = wireTypeOf(kind)
  if (wireType === WIRE.fixed64) return 8
  return wireType === WIRE.fixed32 ? 4 : 0
}

function countValues(bytes: Uint8Array, spans: Spans, width: number): number {
  let count = 0
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i] as number
    const end = spans[i + 1] as number
    if (width > 0) {
      if ((end - start) % width !== 0) throw malformed(`a list has a part of a ${width}-byte value`)
      count += (end - start) / width
    } else for (let at = start; at < end; at++) if ((bytes[at] as number) < 0x80) count++
  }
  return count
}

function copyBytes(bytes: Uint8Array, spans: Spans, into: Uint8Array): void {
  let to = 0
  for (let i = 0; i < spans.length; i += 2) {
    into.set(bytes.subarray(spans[i], spans[i + 1]), to)
    to += (spans[i + 1] as number) - (spans[i] as number)
  }
}

function readFloats(
  bytes: Uint8Array,
  spans: Spans,
  width: number,
  data: NumberArray,
  type: TensorType,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let to = 0
  for (let i = 0; i < spans.length; i += 2)
    for (let at = spans[i] as number; at < (spans[i + 1] as number); at += width) {
      const value = width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true)
      data[to++] = type === 'float16' ? toHalf(value) : value
    }
}

type IntegerSource = {
  readonly field: FieldRef
  readonly tensor: { readonly name: string; readonly type: TensorType }
  readonly width: number
}

function readIntegers(
  bytes: Uint8Array,
  spans: Spans,
  { field, tensor, width }: IntegerSource,
  data: NumberArray,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const range = INTEGER_RANGES[tensor.type]
  const isSigned = !UNSIGNED.has(field.kind)
  const isNarrow = NARROW.has(field.kind)
  const isZigzag = field.kind === 'sint32' || field.kind === 'sint64'
  const words =
    data instanceof BigInt64Array || data instanceof BigUint64Array ? wordsOf(data) : null
  let to = 0
  for (let i = 0; i < spans.length; i += 2) {
    const end = spans[i + 1] as number
    for (let at = spans[i] as number; at < end;) {
      let low = 0
      let high = 0
      if (width === 4) {
        low = view.getInt32(at, true)
        high = isSigned ? low >> 31 : 0
        at += 4
      } else if (width === 8) {
        low = view.getInt32(at, true)
        high = view.getInt32(at + 4, true)
        at += 8
      } else {
        for (let shift = 0; ; shift += 7) {
          if (at >= end || shift > 63) throw malformed('a list ends inside of an integer')
          const byte = bytes[at++] as number
          const part = byte & 0x7f
          if (shift < 28) low |= part << shift
          else if (shift === 28) {
            low |= part << 28
            high |= part >> 4
          } else high |= part << (shift - 32)
          if (byte < 0x80) break
        }
        if (field.kind === 'bool') low = (low | high) === 0 ? 0 : 1
        if (isNarrow) {
          if (isZigzag) low = (low >>> 1) ^ -(low & 1)
          high = isSigned ? low >> 31 : 0
        } else if (isZigzag) {
          const sign = -(low & 1)
          low = ((low >>> 1) | (high << 31)) ^ sign
          high = (high >>> 1) ^ sign
        }
      }
      if (words !== null) {
        // One of them is signed and the other is not.
        if (high < 0 && isSigned !== (tensor.type === 'int64'))
          throw outOfRange(field, tensor, to, exact(low, high, isSigned))
        words[to * 2] = low
        words[to * 2 + 1] = high
        to++
        continue
      }
      const value = (isSigned ? high : high >>> 0) * 2 ** 32 + (low >>> 0)
      if (range !== undefined && (value < range[0] || value > range[1]))
        throw outOfRange(field, tensor, to, exact(low, high, isSigned))
      if (tensor.type === 'bool') data[to++] = value === 0 ? 0 : 1
      else data[to++] = tensor.type === 'float16' ? toHalf(value) : value
    }
  }
}

function wordsOf(data: BigInt64Array | BigUint64Array): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, data.length * 2)
}

function exact(low: number, high: number, isSigned: boolean): bigint {
  const value = (BigInt(high) << 32n) | BigInt(low >>> 0)
  return isSigned ? value : BigInt.asUintN(64, value)
}

function outOfRange(
  field: FieldRef,
  tensor: IntegerSource['tensor'],
  index: number,
  value: bigint,
): KreError {
  return new KreError(
    'invalid-argument',
    `field "${field.path}": value ${index + 1} is ${value}, which input "${tensor.name}" (${tensor.type}) can't hold`,
  )
}

function readRaw(
  bytes: Uint8Array,
  spans: Spans,
  field: FieldRef,
  name: string,
  type: Exclude<TensorType, 'string'>,
): NumberArray {
  const start = spans[0] ?? 0
  const length = (spans[1] ?? 0) - start
  const size = elementBytes(type)
  if (length % size !== 0)
    throw new KreError(
      'invalid-argument',
      `field "${field.path}" has ${length} bytes, which is no whole number of values for input "${name}" (${type}, ${size} bytes each)`,
    )
  const data = makeArray(type, length / size)
  bytesOf(data).set(bytes.subarray(start, start + length))
  if (type === 'bool') for (let i = 0; i < data.length; i++) if (data[i] !== 0) data[i] = 1
  return data
}

function readTexts(bytes: Uint8Array, spans: Spans, field: FieldRef): string[] {
  const texts: string[] = []
  for (let i = 0; i < spans.length; i += 2)
    try {
      texts.push(utf8.decode(bytes.subarray(spans[i], spans[i + 1])))
    } catch (cause) {
      const text = `field "${field.path}": text ${i / 2 + 1} is not UTF-8`
      throw new KreError('invalid-argument', text, {}, { cause })
    }
  return texts.length === 0 && !field.isRepeated ? [''] : texts
}
