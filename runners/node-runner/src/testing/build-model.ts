/** Makes ONNX models of a few operators, for tests (field numbers of onnx.proto). */
import { ProtoWriter } from '@kre/contracts/runtime'

const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const
export type ElementType = keyof typeof ELEMENT_TYPES

export type ModelTensor = {
  name: string
  type: ElementType
  /** A text is a size that may change. */
  shape: readonly (number | string)[]
}
export type ModelNode = {
  operator: string
  inputs: string[]
  outputs: string[]
  /** Integers, and lists of them. */
  attributes?: Record<string, number | number[]>
}

export function buildModel(
  inputs: readonly ModelTensor[],
  outputs: readonly ModelTensor[],
  nodes: readonly ModelNode[],
): Uint8Array {
  const w = new ProtoWriter()
  w.uint(1, 8) // ir_version
  const graph = w.beginMessage(7)
  for (const node of nodes) writeNode(w, node)
  w.string(2, 'test')
  for (const tensor of inputs) writeValue(w, 11, tensor)
  for (const tensor of outputs) writeValue(w, 12, tensor)
  w.endMessage(graph)
  const opset = w.beginMessage(8)
  w.uint(2, 17)
  w.endMessage(opset)
  return w.finish()
}

/** A model that gives back what it gets, as `out`. */
export function identityModel(
  type: ElementType,
  shape: ModelTensor['shape'],
  out: { type: ElementType; name?: string } = { type },
): Uint8Array {
  const name = out.name ?? 'out'
  return buildModel(
    [{ name: 'in', type, shape }],
    [{ name, type: out.type, shape }],
    [
      out.type === type
        ? { operator: 'Identity', inputs: ['in'], outputs: [name] }
        : {
            operator: 'Cast',
            inputs: ['in'],
            outputs: [name],
            attributes: { to: ELEMENT_TYPES[out.type] },
          },
    ],
  )
}

function writeNode(
  w: ProtoWriter,
  { operator, inputs, outputs, attributes = {} }: ModelNode,
): void {
  const node = w.beginMessage(1)
  for (const input of inputs) w.string(1, input)
  for (const output of outputs) w.string(2, output)
  w.string(4, operator)
  for (const [name, value] of Object.entries(attributes)) {
    const attribute = w.beginMessage(5)
    w.string(1, name)
    if (typeof value === 'number') w.uint(3, value)
    else for (const item of value) w.uint(8, item)
    w.uint(20, typeof value === 'number' ? 2 : 7)
    w.endMessage(attribute)
  }
  w.endMessage(node)
}

function writeValue(w: ProtoWriter, field: number, { name, type, shape }: ModelTensor): void {
  const value = w.beginMessage(field)
  w.string(1, name)
  const typeProto = w.beginMessage(2)
  const tensor = w.beginMessage(1)
  w.uint(1, ELEMENT_TYPES[type])
  const dimensions = w.beginMessage(2)
  for (const size of shape) {
    const dimension = w.beginMessage(1)
    if (typeof size === 'number') w.uint(1, size)
    else w.string(2, size)
    w.endMessage(dimension)
  }
  w.endMessage(dimensions)
  w.endMessage(tensor)
  w.endMessage(typeProto)
  w.endMessage(value)
}
