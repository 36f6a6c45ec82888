/** From the elements of a tensor to the encoded field of a message. */
import { KreError } from '@kre/contracts/runtime'
import type { FieldKind, PlannedTensor } from '@kre/contracts/model'
import { fromHalf } from './half-float.ts'
import { bytesOf, type NumberArray, type Tensor } from './tensor.ts'
import { WIRE, wireTypeOf } from './wire-fields.ts'
import { WireWriter } from './wire-writer.ts'

const utf8 = new TextEncoder()
const MAX_32 = 0x7fff_ffff
const MAX_64 = 2n ** 63n - 1n
/** Compared with numbers and with big integers. */
const LIMITS: Readonly<Partial<Record<FieldKind, readonly [number | bigint, number | bigint]>>> = {
  int32: [-MAX_32 - 1, MAX_32],
  sint32: [-MAX_32 - 1, MAX_32],
  sfixed32: [-MAX_32 - 1, MAX_32],
  uint32: [0, 0xffff_ffff],
  fixed32: [0, 0xffff_ffff],
  int64: [-MAX_64 - 1n, MAX_64],
  sint64: [-MAX_64 - 1n, MAX_64],
  sfixed64: [-MAX_64 - 1n, MAX_64],
  uint64: [0, 2n * MAX_64 + 1n],
  fixed64: [0, 2n * MAX_64 + 1n],
}

/**
 * Appends the field, lists in their packed form.
 *
 * @param number of the field in the message that is being written.
 * @throws KreError `internal` for an output that does not fit the field: the bundle promised that it does.
 */
export function writeValues(
  writer: WireWriter,
  number: number,
  planned: PlannedTensor,
  { data }: Tensor,
): void {
  const { kind, isRepeated } = planned.field
  const count = kind === 'bytes' ? 1 : data.length
  if (!isRepeated && count !== 1)
    throw misfit(planned, `has ${data.length} values, and the field takes one`)
  if (Array.isArray(data)) {
    for (const text of data) {
      writer.key(number, WIRE.bytes)
      writer.delimited(utf8.encode(text))
    }
    return
  }
  if (kind === 'bytes') {
    writer.key(number, WIRE.bytes)
    writer.delimited(bytesOf(data))
  } else if (!isRepeated) {
    writer.key(number, wireTypeOf(kind))
    encode(writer, planned, data)
  } else if (data.length > 0) {
    const list = new WireWriter(data.byteLength)
    encode(list, planned, data)
    writer.key(number, WIRE.bytes)
    writer.delimited(list.finish())
  }
}

function encode(writer: WireWriter, planned: PlannedTensor, data: NumberArray): void {
  const { kind } = planned.field
  if (kind === 'float' || kind === 'double') encodeFloats(writer, kind, planned.type, data)
  else if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    encodeWords(writer, planned, data)
  else encodeIntegers(writer, planned, data)
}

function encodeFloats(
  writer: WireWriter,
  kind: 'float' | 'double',
  type: PlannedTensor['type'],
  data: NumberArray,
): void {
  const isSame = kind === 'float' ? data instanceof Float32Array : data instanceof Float64Array
  if (isSame) return writer.raw(bytesOf(data))
  for (const element of data) {
    const value = type === 'float16' ? fromHalf(Number(element)) : Number(element)
    if (kind === 'float') writer.float(value)
    else writer.double(value)
  }
}

function encodeIntegers(writer: WireWriter, planned: PlannedTensor, data: NumberArray): void {
  const { kind } = planned.field
  for (const element of data) {
    const value = Number(element)
    check(planned, value)
    put(writer, kind, value | 0, value < 0 ? -1 : 0)
  }
}

function encodeWords(
  writer: WireWriter,
  planned: PlannedTensor,
  data: BigInt64Array | BigUint64Array,
): void {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length * 2)
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as bigint
    check(planned, value)
    put(writer, planned.field.kind, words[i * 2] as number, words[i * 2 + 1] as number)
  }
}

function check(planned: PlannedTensor, value: number | bigint): void {
  const { kind } = planned.field
  const limits = LIMITS[kind]
  if (limits === undefined || (value >= limits[0] && value <= limits[1])) return
  throw misfit(planned, `has the value ${value}, which the field (${kind}) can't hold`)
}

function put(writer: WireWriter, kind: FieldKind, low: number, high: number): void {
  if (kind === 'fixed32' || kind === 'sfixed32') writer.fixed32(low)
  else if (kind === 'fixed64' || kind === 'sfixed64') writer.fixed64(low, high)
  else if (kind === 'sint32') writer.varint((low << 1) ^ (low >> 31), 0)
  else if (kind === 'sint64') {
    const sign = high >> 31
    writer.varint((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign)
  } else writer.varint(low, kind === 'uint32' ? 0 : high)
}

function misfit({ name, type, field }: PlannedTensor, what: string): KreError {
  return new KreError(
    'internal',
    `output "${name}" (${type}) of the model, which goes into field "${field.path}", ${what}`,
    { field: field.path, tensor: name },
  )
}
