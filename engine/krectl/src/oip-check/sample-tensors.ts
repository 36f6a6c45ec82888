/** Inputs that fit a model's metadata: the smallest shape it takes, and zeros. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { InferTensorContentsSchema, ModelMetadataResponse } from '@kre/contracts/oip'
import { Skipped } from './check.ts'

export type Metadata = Pick<ModelMetadataResponse, 'name' | 'versions' | 'inputs' | 'outputs'>
export type GrpcInput = {
  name: string
  datatype: string
  shape: bigint[]
  contents?: MessageInitShape<typeof InferTensorContentsSchema>
}
export type RestInput = {
  name: string
  datatype: string
  shape: number[]
  data?: unknown[]
  parameters?: Record<string, unknown>
}

type Form = {
  /** Of an element in raw form; 0 = BYTES. */
  readonly bytes: number
  /** Field of InferTensorContents and its zero; null = only raw. */
  readonly contents: readonly [field: string, zero: unknown] | null
  readonly json: unknown
}

const small = (bytes: number, field: string): Form => ({ bytes, contents: [field, 0], json: 0 })
const FORMS: Readonly<Record<string, Form>> = {
  BOOL: { bytes: 1, contents: ['boolContents', false], json: false },
  INT8: small(1, 'intContents'),
  INT16: small(2, 'intContents'),
  INT32: small(4, 'intContents'),
  INT64: { bytes: 8, contents: ['int64Contents', 0n], json: 0 },
  UINT8: small(1, 'uintContents'),
  UINT16: small(2, 'uintContents'),
  UINT32: small(4, 'uintContents'),
  UINT64: { bytes: 8, contents: ['uint64Contents', 0n], json: 0 },
  FP16: { bytes: 2, contents: null, json: null },
  BF16: { bytes: 2, contents: null, json: null },
  FP32: small(4, 'fp32Contents'),
  FP64: small(8, 'fp64Contents'),
  BYTES: { bytes: 0, contents: ['bytesContents', new Uint8Array(0)], json: '{}' },
}
const LENGTH_BYTES = 4

export function grpcInputs({ inputs }: Metadata): GrpcInput[] {
  return inputs.map(({ name, datatype, shape }) => {
    const { contents } = formOf(datatype)
    if (contents === null) throw new Skipped(`input "${name}" is ${datatype}, which is only raw`)
    const sizes = shape.map(smallest)
    const values = Array.from({ length: countOf(sizes) }, () => contents[1])
    return { name, datatype, shape: sizes, contents: { [contents[0]]: values } }
  })
}

export function rawInputs({ inputs }: Metadata): { inputs: GrpcInput[]; raw: Uint8Array[] } {
  return {
    inputs: inputs.map(({ name, datatype, shape }) => ({
      name,
      datatype,
      shape: shape.map(smallest),
    })),
    raw: inputs.map(({ datatype, shape }) => rawZeros(datatype, countOf(shape.map(smallest)))),
  }
}

export function restInputs({ inputs }: Metadata): RestInput[] {
  return inputs.map(({ name, datatype, shape }) => {
    const { json } = formOf(datatype)
    if (json === null) throw new Skipped(`input "${name}" is ${datatype}, which is only binary`)
    const sizes = shape.map(smallest)
    const data = Array.from({ length: countOf(sizes) }, () => json)
    return { name, datatype, shape: sizes.map(Number), data }
  })
}

/** The same inputs with their bytes behind the JSON. */
export function binaryInputs(metadata: Metadata): { inputs: RestInput[]; binary: Uint8Array } {
  const { inputs, raw } = rawInputs(metadata)
  return {
    inputs: inputs.map(({ name, datatype, shape }, i) => ({
      name,
      datatype,
      shape: shape.map(Number),
      parameters: { binary_data_size: raw[i]?.length ?? 0 },
    })),
    binary: Buffer.concat(raw),
  }
}

function rawZeros(datatype: string, count: number): Uint8Array {
  // The length of an empty element is zeros, too.
  const { bytes } = formOf(datatype)
  return new Uint8Array(count * (bytes === 0 ? LENGTH_BYTES : bytes))
}

function smallest(size: bigint): bigint {
  return size < 0n ? 1n : size
}

function countOf(shape: readonly bigint[]): number {
  return shape.reduce((count, size) => count * Number(size), 1)
}

function formOf(datatype: string): Form {
  const form = FORMS[datatype]
  if (form === undefined) throw new Error(`the model has a tensor of datatype "${datatype}"`)
  return form
}
