/** Tensors on their way between messages and a model. */
import type { TensorType } from '@kre/contracts/model'

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

export type NumberArray = InstanceType<(typeof ARRAYS)[keyof typeof ARRAYS]>
/** Halves of float16 are kept as their bits. */
export type TensorData = NumberArray | string[]
export type Tensor = {
  readonly type: TensorType
  readonly data: TensorData
  readonly shape: readonly number[]
}
/** By name. */
export type Tensors = Readonly<Record<string, Tensor>>

export function makeArray(type: Exclude<TensorType, 'string'>, length: number): NumberArray {
  return new ARRAYS[type](length)
}

export function elementBytes(type: Exclude<TensorType, 'string'>): number {
  return ARRAYS[type].BYTES_PER_ELEMENT
}

/** The bytes of the elements, little-endian as on every machine that KRE runs on. */
export function bytesOf(data: NumberArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Least and greatest value of integer tensors whose range is less than that of a 64-bit field. */
export const INTEGER_RANGES: Readonly<Partial<Record<TensorType, readonly [number, number]>>> = {
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffff_ffff],
}
