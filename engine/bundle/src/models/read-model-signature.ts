/**
 * What an ONNX model reads and gives, from its file (onnx.proto): names, types and shapes of its inputs and outputs.
 * Weights are passed over without being read, so that a large model costs no memory, and nothing of it is run.
 */
import { escapeUnprintable, KiB } from '@kre/contracts'
import type { ModelSignature, TensorSignature, TensorType } from '@kre/contracts/model'

/** At most `length` bytes from `start` on. */
export type ReadPart = (start: number, length: number) => Promise<Uint8Array>

/** The file is no ONNX model; the message says what it is instead. */
export class NotAModel extends Error {
  override name = 'NotAModel'
}

const WINDOW_BYTES = 64 * KiB
/** Of one model. They have tens of thousands; a hostile file would only cost time. */
const PARTS_MAX = 200_000
const TENSORS_MAX = 1_000
const DIMENSIONS_MAX = 32
/** No message holds more, a byte each. */
const ELEMENTS_MAX = 2 ** 31
const TEXT_BYTES_MAX = 4 * KiB

/** `TensorProto.DataType`, by number. */
const ELEMENT_TYPES: readonly (TensorType | null)[] = [
  null,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
]

/**
 * @param budget parts that may still be looked at; it is lowered by those of this model.
 * @throws NotAModel
 */
export async function readModelSignature(
  size: number,
  read: ReadPart,
  budget: { parts: number } = { parts: PARTS_MAX },
): Promise<ModelSignature> {
  const cursor = createCursor(size, read, budget)
  let signature: ModelSignature | null = null
  await cursor.fields(size, async (field) => {
    // ModelProto.graph
    if (field === 7) signature = await readGraph(cursor)
    else await cursor.skip()
  })
  if (signature === null) throw new NotAModel('is no ONNX model: it has no graph')
  return signature
}

async function readGraph(cursor: Cursor): Promise<ModelSignature> {
  const inputs: TensorSignature[] = []
  const outputs: TensorSignature[] = []
  const weights = new Set<string>()
  await cursor.fields(await cursor.enter(), async (field) => {
    // GraphProto.input, output, initializer
    if (field === 11) inputs.push(await readValue(cursor))
    else if (field === 12) outputs.push(await readValue(cursor))
    else if (field === 5) weights.add(await readWeightName(cursor))
    else await cursor.skip()
    if (inputs.length + outputs.length > TENSORS_MAX)
      throw new NotAModel(`has more than ${TENSORS_MAX} inputs and outputs`)
  })
  // Models of old format versions list their weights among the inputs.
  return { inputs: inputs.filter(({ name }) => !weights.has(name)), outputs }
}

async function readWeightName(cursor: Cursor): Promise<string> {
  let name = ''
  await cursor.fields(await cursor.enter(), async (field) => {
    if (field === 8) name = await cursor.text()
    else await cursor.skip()
  })
  return name
}

/** ValueInfoProto */
async function readValue(cursor: Cursor): Promise<TensorSignature> {
  let name = ''
  let tensor: Omit<TensorSignature, 'name'> = { type: null, shape: [] }
  await cursor.fields(await cursor.enter(), async (field) => {
    if (field === 1) name = await cursor.text()
    else if (field === 2)
      await cursor.fields(await cursor.enter(), async (kind) => {
        // TypeProto.tensor_type; sequences and maps are no tensors.
        if (kind === 1) tensor = await readTensorType(cursor)
        else await cursor.skip()
      })
    else await cursor.skip()
  })
  checkTensor(name, tensor.shape)
  return { name, ...tensor }
}

/** Sizes that are not fixed count as 1. */
function checkTensor(name: string, shape: readonly (number | string)[]): void {
  if (name === '__proto__' || escapeUnprintable(name) !== name)
    throw new NotAModel(`has a tensor with a name that can not be used: ${JSON.stringify(name)}`)
  const elements = shape.reduce<number>(
    (all, size) => all * (typeof size === 'number' ? size : 1),
    1,
  )
  if (elements > ELEMENTS_MAX)
    throw new NotAModel(
      `has a tensor ${JSON.stringify(name)} of more than ${ELEMENTS_MAX} elements, which no message holds`,
    )
}

async function readTensorType(cursor: Cursor): Promise<Omit<TensorSignature, 'name'>> {
  let type: TensorType | null = null
  const shape: (number | string)[] = []
  await cursor.fields(await cursor.enter(), async (field) => {
    if (field === 1) type = ELEMENT_TYPES[await cursor.integer()] ?? null
    else if (field === 2)
      await cursor.fields(await cursor.enter(), async (part) => {
        if (part !== 1) return cursor.skip()
        shape.push(await readDimension(cursor))
        if (shape.length > DIMENSIONS_MAX)
          throw new NotAModel(`has a tensor of more than ${DIMENSIONS_MAX} dimensions`)
      })
    else await cursor.skip()
  })
  return { type, shape }
}

async function readDimension(cursor: Cursor): Promise<number | string> {
  let dimension: number | string = ''
  await cursor.fields(await cursor.enter(), async (field) => {
    if (field === 1) {
      const size = await cursor.integer()
      dimension = size > 0 ? size : ''
    } else if (field === 2) dimension = await cursor.text()
    else await cursor.skip()
  })
  return dimension
}

type Cursor = {
  /** Gives each field up to `end` to `onField`, which reads or skips its value. */
  fields(end: number, onField: (field: number) => Promise<void>): Promise<void>
  /** Enters an embedded message. @returns its end. */
  enter(): Promise<number>
  integer(): Promise<number>
  text(): Promise<string>
  skip(): Promise<void>
}

/** Walks the protobuf wire format of a file through a window. */
function createCursor(size: number, read: ReadPart, budget: { parts: number }): Cursor {
  let at = 0
  let wireType = 0
  let parts = 0
  let window: Uint8Array = new Uint8Array(0)
  let windowStart = 0

  const damaged = () => new NotAModel('is no ONNX model, or damaged: it is not well-formed')
  const load = async (bytes: number) => {
    const offset = at - windowStart
    if (offset >= 0 && offset + bytes <= window.length) return offset
    if (at + bytes > size) throw damaged()
    window = await read(at, Math.max(bytes, Math.min(WINDOW_BYTES, size - at)))
    windowStart = at
    if (window.length < bytes) throw damaged()
    return 0
  }
  const varint = async (): Promise<number> => {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const offset = await load(1)
      const byte = window[offset] as number
      at++
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw damaged()
  }
  const length = async () => {
    if (wireType !== 2) throw damaged()
    const bytes = await varint()
    if (at + bytes > size) throw damaged()
    return bytes
  }

  return {
    async fields(end, onField) {
      while (at < end) {
        if (++parts > PARTS_MAX) throw new NotAModel(`has more than ${PARTS_MAX} parts`)
        if (--budget.parts < 0)
          throw new NotAModel('was not read: the models of the bundle have too many parts')
        const key = await varint()
        wireType = key % 8
        const field = Math.floor(key / 8)
        if (field === 0) throw damaged()
        await onField(field)
      }
      if (at !== end) throw damaged()
    },
    async enter() {
      const bytes = await length()
      return at + bytes
    },
    async integer() {
      if (wireType !== 0) throw damaged()
      return varint()
    },
    async text() {
      const bytes = await length()
      if (bytes > TEXT_BYTES_MAX) throw new NotAModel('has a name of more than 4 KiB')
      if (bytes === 0) return ''
      const offset = await load(bytes)
      at += bytes
      return Buffer.from(window.subarray(offset, offset + bytes)).toString('utf8')
    },
    async skip() {
      if (wireType === 0) await varint()
      else if (wireType === 1) at += 8
      else if (wireType === 5) at += 4
      else if (wireType === 2) {
        const bytes = await length()
        at += bytes
      } else throw damaged()
      if (at > size) throw damaged()
    },
  }
}
