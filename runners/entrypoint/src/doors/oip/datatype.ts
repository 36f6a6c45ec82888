/** The datatypes of the Open Inference Protocol. */

/** An element as JavaScript holds it without loss. */
export type Element = boolean | number | bigint | Uint8Array

export type Datatype = {
  readonly name: string
  /** Of one element in raw form; 0 = BYTES, where each has a length of its own. */
  readonly bytes: number
  readonly kind: 'bool' | 'int' | 'bigint' | 'float' | 'bytes'
  /** Of integers. */
  readonly range?: readonly [min: bigint, max: bigint]
  /** Field of InferTensorContents; null = only raw. */
  readonly contents: ContentsField | null
}

export type ContentsField =
  | 'boolContents'
  | 'intContents'
  | 'int64Contents'
  | 'uintContents'
  | 'uint64Contents'
  | 'fp32Contents'
  | 'fp64Contents'
  | 'bytesContents'

const DATATYPES: ReadonlyMap<string, Datatype> = new Map(
  [
    { name: 'BOOL', bytes: 1, kind: 'bool', contents: 'boolContents' } as const,
    integer('INT8', 'intContents'),
    integer('INT16', 'intContents'),
    integer('INT32', 'intContents'),
    integer('INT64', 'int64Contents'),
    integer('UINT8', 'uintContents'),
    integer('UINT16', 'uintContents'),
    integer('UINT32', 'uintContents'),
    integer('UINT64', 'uint64Contents'),
    { name: 'FP16', bytes: 2, kind: 'float', contents: null } as const,
    { name: 'BF16', bytes: 2, kind: 'float', contents: null } as const,
    { name: 'FP32', bytes: 4, kind: 'float', contents: 'fp32Contents' } as const,
    { name: 'FP64', bytes: 8, kind: 'float', contents: 'fp64Contents' } as const,
    { name: 'BYTES', bytes: 0, kind: 'bytes', contents: 'bytesContents' } as const,
  ].map((datatype) => [datatype.name, datatype]),
)

export function datatypeOf(name: string): Datatype | undefined {
  return DATATYPES.get(name)
}

export const DATATYPE_NAMES = [...DATATYPES.keys()].join(', ')

function integer(name: string, contents: ContentsField): Datatype {
  const bits = Number(/\d+/.exec(name))
  const isSigned = name.startsWith('I')
  const half = 2n ** BigInt(bits - 1)
  return {
    name,
    bytes: bits / 8,
    kind: bits === 64 ? 'bigint' : 'int',
    range: isSigned ? [-half, half - 1n] : [0n, 2n * half - 1n],
    contents,
  }
}
