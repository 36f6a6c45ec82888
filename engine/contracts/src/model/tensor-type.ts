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

const NAME_CHARS_MAX = 80
const SIZES_SHOWN_MAX = 8

/** A name from a file of a stranger, in quotes: bounded, and without control characters. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name)
}

/** `[n, 3, ?]` */
export function formatShape(shape: TensorSignature['shape']): string {
  const sizes = shape.slice(0, SIZES_SHOWN_MAX).map((size) => {
    if (typeof size === 'number') return String(size)
    return size === '' ? '?' : quoted(size).slice(1, -1)
  })
  return `[${sizes.join(', ')}${shape.length > SIZES_SHOWN_MAX ? ', …' : ''}]`
}

/** `"pixels" (float32 [n, 64])` */
export function formatTensor({ name, type, shape }: TensorSignature): string {
  return `${quoted(name)} (${type === null ? 'no tensor' : `${type} ${formatShape(shape)}`})`
}
