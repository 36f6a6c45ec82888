/** Element types of tensors that model nodes read and write, under ONNX Runtime's names. */
export const TENSOR_TYPES = [
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
] as const
export type TensorType = (typeof TENSOR_TYPES)[number]

/** One input or output of a model. */
export type TensorSignature = {
  readonly name: string
  /** Null = no tensor (a sequence or a map), or of a type that messages can't hold. */
  readonly type: TensorType | null
  /** Sizes; a text is the name of a size that may change, empty where it has none. */
  readonly shape: readonly (number | string)[]
}

export type ModelSignature = {
  readonly inputs: readonly TensorSignature[]
  readonly outputs: readonly TensorSignature[]
}

/** `[n, 3, ?]` */
export function formatShape(shape: TensorSignature['shape']): string {
  return `[${shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`
}

/** `"pixels" (float32 [n, 64])` */
export function formatTensor({ name, type, shape }: TensorSignature): string {
  return type === null ? `"${name}" (no tensor)` : `"${name}" (${type} ${formatShape(shape)})`
}
