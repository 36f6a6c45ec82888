/** Which shape the values of a message have. Pure. */
import { KreError } from '@kre/contracts/runtime'
import { formatShape, type PlannedInput } from '@kre/contracts/model'

/**
 * @param count of values.
 * @param sizeOf value of the integer field at that place of the manifest's shape.
 * @throws KreError `invalid-argument` with the numbers that do not fit.
 */
export function resolveShape(
  input: PlannedInput,
  count: number,
  sizeOf: (dimension: number) => number,
): number[] {
  if (count === 0) throw misfit(input, 0, 'the message has no values for it')
  if (input.shape !== null) return explicitShape(input, input.shape, count, sizeOf)
  const { modelShape } = input
  // A model that does not say takes a list.
  if (modelShape.length === 0) return count === 1 ? [] : [count]
  const open = modelShape.flatMap((size, i) => (typeof size === 'string' ? [i] : []))
  const known = modelShape.reduce<number>(
    (product, size) => (typeof size === 'number' ? product * size : product),
    1,
  )
  // Of two open sizes the first is that of the batch, and one message is one item.
  const inferred = open.at(-1)
  if (inferred === undefined ? count !== known : count % known !== 0)
    throw misfit(
      input,
      count,
      inferred === undefined ? `it takes ${known}` : `it takes a multiple of ${known}`,
    )
  return modelShape.map((size, i) => {
    if (typeof size === 'number') return size
    return i === inferred ? count / known : 1
  })
}

function explicitShape(
  input: PlannedInput,
  sizes: NonNullable<PlannedInput['shape']>,
  count: number,
  sizeOf: (dimension: number) => number,
): number[] {
  const shape = sizes.map((size, i) => (typeof size === 'number' ? size : sizeOf(i)))
  for (const [i, size] of shape.entries()) {
    const declared = input.modelShape[i]
    const source = sizes[i]
    const from = typeof source === 'object' ? `field "${source.path}"` : 'the manifest'
    if (!(size >= 1)) throw misfit(input, count, `${from} says a size of ${size}`)
    if (typeof declared === 'number' && declared !== size)
      throw misfit(input, count, `${from} says ${size} where it takes ${declared}`)
  }
  const product = shape.reduce((all, size) => all * size, 1)
  if (product !== count)
    throw misfit(input, count, `a shape of ${formatShape(shape)} takes ${product}`)
  return shape
}

function misfit(input: PlannedInput, count: number, why: string): KreError {
  const { name, type, modelShape, field } = input
  return new KreError(
    'invalid-argument',
    `field "${field.path}" has ${count} values for input "${name}" (${type} ${formatShape(modelShape)}): ${why}`,
    { field: field.path, tensor: name, values: count },
  )
}
