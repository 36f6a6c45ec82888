/** Tensors as bytes: little-endian, row-major, no padding; BYTES elements have their length in front. */
import type { Datatype, Element } from './datatype.ts'
import { invalidTensor } from './tensor.ts'

const LENGTH_BYTES = 4

/**
 * @param count of elements, by the shape.
 * @throws KreError `invalid-argument` when the bytes are not exactly so many elements.
 */
export function decodeRaw(
  datatype: Datatype,
  bytes: Uint8Array,
  count: number,
  tensor: string,
): Element[] {
  if (datatype.kind === 'bytes') return decodeBytes(bytes, count, tensor)
  if (bytes.length !== count * datatype.bytes)
    throw invalidTensor(
      tensor,
      `has ${bytes.length} raw bytes, and ${count} elements of ${datatype.name} are ${count * datatype.bytes}`,
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = READERS[datatype.name]
  if (read === undefined)
    throw invalidTensor(tensor, `has the datatype ${datatype.name}, which no message field has`)
  const elements = Array.from<Element>({ length: count })
  for (let i = 0; i < count; i++) {
    const element = read(view, i * datatype.bytes)
    if (element === null) throw invalidTensor(tensor, `has a BOOL element that is neither 0 nor 1`)
    elements[i] = element
  }
  return elements
}

export function encodeRaw(datatype: Datatype, elements: readonly Element[]): Uint8Array {
  if (datatype.kind === 'bytes') return encodeBytes(elements as readonly Uint8Array[])
  const bytes = Buffer.alloc(elements.length * datatype.bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const write = WRITERS[datatype.name]
  for (const [i, element] of elements.entries()) write?.(view, i * datatype.bytes, element)
  return bytes
}

function decodeBytes(bytes: Uint8Array, count: number, tensor: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const elements: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const start = at + LENGTH_BYTES
    const end = start <= bytes.length ? start + view.getUint32(at, true) : Infinity
    if (end > bytes.length)
      throw invalidTensor(
        tensor,
        `is cut in its element ${elements.length}: each has 4 bytes of length in front`,
      )
    elements.push(bytes.subarray(start, end))
    at = end
  }
  if (elements.length !== count)
    throw invalidTensor(tensor, `has ${elements.length} raw elements, and its shape says ${count}`)
  return elements
}

function encodeBytes(elements: readonly Uint8Array[]): Buffer {
  const size = elements.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const element of elements) {
    at = bytes.writeUInt32LE(element.length, at)
    bytes.set(element, at)
    at += element.length
  }
  return bytes
}

const READERS: Readonly<Record<string, (view: DataView, at: number) => Element | null>> = {
  BOOL: (view, at) => [false, true][view.getUint8(at)] ?? null,
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
}

const WRITERS: Readonly<Record<string, (view: DataView, at: number, element: Element) => void>> = {
  BOOL: (view, at, element) => view.setUint8(at, element === true ? 1 : 0),
  INT32: (view, at, element) => view.setInt32(at, Number(element), true),
  INT64: (view, at, element) => view.setBigInt64(at, element as bigint, true),
  UINT32: (view, at, element) => view.setUint32(at, Number(element), true),
  UINT64: (view, at, element) => view.setBigUint64(at, element as bigint, true),
  FP32: (view, at, element) => view.setFloat32(at, Number(element), true),
  FP64: (view, at, element) => view.setFloat64(at, Number(element), true),
}
