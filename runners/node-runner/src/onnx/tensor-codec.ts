/** Between the messages of a node and the tensors of its model, by the plan that was made when the node started. */
import { KreError } from '@kre/contracts/runtime'
import type { FieldRef, PlannedInput, PlannedTensor, TensorPlan } from '@kre/contracts/model'
import { readValues } from './read-values.ts'
import { resolveShape } from './tensor-shape.ts'
import type { Tensor, Tensors } from './tensor.ts'
import { compileQuery, findFields, WIRE, type Spans, type WireMatch } from './wire-fields.ts'
import { WireWriter } from './wire-writer.ts'
import { writeValues } from './write-values.ts'

/** What one message brings: its tensors, and the fields that its answer carries on, already encoded. */
export type ModelInput = { readonly tensors: Tensors; readonly carried: Uint8Array }

export type TensorCodec = {
  /** @throws KreError `invalid-argument` that names field, tensor and numbers. */
  decode(message: Uint8Array): ModelInput
  /** @throws KreError `internal` when the model gives what the plan's fields can't hold. */
  encode(input: ModelInput, outputs: Tensors): Uint8Array
}

export function createTensorCodec(plan: TensorPlan): TensorCodec {
  const sizeFields = plan.inputs.map(({ shape }) =>
    (shape ?? []).map((size) => (typeof size === 'number' ? null : size)),
  )
  const fields: FieldRef[] = plan.inputs.map(({ field }) => field)
  const sizeAt = sizeFields.map((sizes) =>
    sizes.map((field) => (field === null ? -1 : fields.push(field) - 1)),
  )
  const query = compileQuery(
    fields,
    plan.carried.map(({ from }) => from),
  )
  const targets = plan.carried.map(({ to }) => to)
  const root = compileOutputs(plan.outputs)

  return {
    decode(message) {
      const match = findFields(message, query)
      const tensors: Record<string, Tensor> = {}
      for (const [i, input] of plan.inputs.entries())
        tensors[input.name] = readTensor(message, input, i, match, (dimension) => {
          const at = sizeAt[i]?.[dimension] ?? -1
          return readSize(message, match.spans[at] ?? [], fields[at] as FieldRef)
        })
      return { tensors, carried: carry(message, match, targets) }
    },
    encode({ carried }, outputs) {
      const writer = new WireWriter(carried.length + 256)
      writer.raw(carried)
      writeGroup(writer, root, outputs)
      return writer.finish()
    },
  }
}

function readTensor(
  message: Uint8Array,
  input: PlannedInput,
  index: number,
  { spans }: WireMatch,
  sizeOf: (dimension: number) => number,
): Tensor {
  const data = readValues(message, spans[index] ?? [], input.field, input)
  return { type: input.type, data, shape: resolveShape(input, data.length, sizeOf) }
}

function readSize(message: Uint8Array, spans: Spans, field: FieldRef): number {
  const data = readValues(message, spans, field, { name: 'shape', type: 'int64' })
  return Number(data[0] ?? 0)
}

/** Field after field as it came, under its number in the answer. */
function carry(
  message: Uint8Array,
  { carried }: WireMatch,
  targets: readonly number[],
): Uint8Array {
  if (carried.every(({ spans }) => spans.length === 0)) return NOTHING
  const writer = new WireWriter(64)
  for (const [i, { wireType, spans }] of carried.entries())
    for (let at = 0; at < spans.length; at += 2) {
      writer.key(targets[i] ?? 0, wireType)
      writer.raw(message.subarray(spans[at], spans[at + 1]))
    }
  return writer.finish()
}
const NOTHING = new Uint8Array(0)

/** Outputs of one message, and of the messages inside of it, by field number. */
type OutputGroup = {
  readonly leaves: { number: number; planned: PlannedTensor }[]
  readonly messages: Map<number, OutputGroup>
}

function compileOutputs(outputs: readonly PlannedTensor[]): OutputGroup {
  const root: OutputGroup = { leaves: [], messages: new Map() }
  for (const planned of outputs) {
    let group = root
    for (const number of planned.field.numbers.slice(0, -1)) {
      const inner = group.messages.get(number) ?? { leaves: [], messages: new Map() }
      group.messages.set(number, inner)
      group = inner
    }
    group.leaves.push({ number: planned.field.numbers.at(-1) ?? 0, planned })
  }
  return root
}

function writeGroup(writer: WireWriter, group: OutputGroup, outputs: Tensors): void {
  for (const { number, planned } of group.leaves) {
    const tensor = outputs[planned.name]
    if (tensor === undefined)
      throw new KreError('internal', `the model gave no output "${planned.name}"`)
    writeValues(writer, number, planned, tensor)
  }
  for (const [number, inner] of group.messages) {
    const message = new WireWriter(256)
    writeGroup(message, inner, outputs)
    writer.key(number, WIRE.bytes)
    writer.delimited(message.finish())
  }
}
