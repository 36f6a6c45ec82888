/** Several messages in one run of a model: their tensors one after the other along the first dimension. Pure. */
import { KreError } from '@kre/contracts/runtime'
import type { TensorPlan } from '@kre/contracts/model'
import { makeArray, type Tensor, type TensorData, type Tensors } from './tensor.ts'

/** Whether the model takes any number of items: the first size of every input and output is open. */
export function canStack({ inputs, outputs }: TensorPlan): boolean {
  return [...inputs, ...outputs].every(({ modelShape }) => typeof modelShape[0] === 'string')
}

/** Puts messages together that differ in their first size alone; the lists hold indexes of `items`. */
export function groupStackable(items: readonly Tensors[]): number[][] {
  const groups = new Map<string, number[]>()
  for (const [i, tensors] of items.entries()) {
    const rows = rowsOf(tensors)
    // Inputs of different numbers of rows are no batch: run by itself.
    const key =
      rows === null
        ? `#${i}`
        : JSON.stringify(Object.values(tensors).map(({ shape }) => shape.slice(1)))
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [i])
    else group.push(i)
  }
  return [...groups.values()]
}

/** First size of all tensors, null when they differ. */
export function rowsOf(tensors: Tensors): number | null {
  let rows: number | null = null
  for (const { shape } of Object.values(tensors)) {
    const [size] = shape
    if (size === undefined || (rows !== null && rows !== size)) return null
    rows = size
  }
  return rows
}

export function stackTensors(items: readonly Tensors[]): Tensors {
  const [first] = items
  if (first === undefined || items.length === 1) return first ?? {}
  return Object.fromEntries(
    Object.entries(first).map(([name, { type, shape }]) => {
      const parts = items.map((item) => item[name] as Tensor)
      const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0)
      const data = concatenate(
        type,
        parts.map((part) => part.data),
      )
      return [name, { type, data, shape: [rows, ...shape.slice(1)] }]
    }),
  )
}

/**
 * @param rows of each item, in the order in which they were stacked.
 * @throws KreError `internal` when an output has not a row for each row of the inputs.
 */
export function splitTensors(outputs: Tensors, rows: readonly number[]): Tensors[] {
  const total = rows.reduce((sum, count) => sum + count, 0)
  const split: Record<string, Tensor>[] = rows.map(() => ({}))
  for (const [name, { type, data, shape }] of Object.entries(outputs)) {
    if (shape[0] !== total)
      throw new KreError(
        'internal',
        `output "${name}" of the model has ${shape[0] ?? 0} rows for ${total} rows of input`,
      )
    const rowLength = data.length / total
    let at = 0
    for (const [i, count] of rows.entries()) {
      const end = at + count * rowLength
      const item = split[i]
      if (item !== undefined)
        item[name] = { type, data: data.slice(at, end), shape: [count, ...shape.slice(1)] }
      at = end
    }
  }
  return split
}

function concatenate(type: Tensor['type'], parts: readonly TensorData[]): TensorData {
  if (type === 'string') return parts.flatMap((part) => part as string[])
  const whole = makeArray(
    type,
    parts.reduce((sum, part) => sum + part.length, 0),
  )
  let at = 0
  for (const part of parts) {
    // All parts are of one type; the types of `set` of all arrays together are none.
    ;(whole as Float32Array).set(part as Float32Array, at)
    at += part.length
  }
  return whole
}
