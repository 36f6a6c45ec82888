import { KreError } from '@kre/contracts/runtime'
import { type Datatype, DATATYPE_NAMES, datatypeOf, type Element } from './datatype.ts'

/** A tensor whose elements fit its shape and datatype. */
export type Tensor = {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
  /** Row-major. */
  readonly elements: readonly Element[]
  /** How the message in a BYTES tensor is written. */
  readonly contentType: string | null
}

/** No tensor of a message this entrypoint takes has more. */
const ELEMENTS_MAX = 2 ** 31

/** @throws KreError `invalid-argument`. */
export function datatypeNamed(name: string, tensor: string): Datatype {
  const datatype = datatypeOf(name)
  if (datatype === undefined)
    throw invalidTensor(tensor, `has the datatype "${name}", which is none of: ${DATATYPE_NAMES}`)
  return datatype
}

/**
 * The number of elements that a shape has room for.
 *
 * @throws KreError `invalid-argument` for a size that is none.
 */
export function elementCount(shape: readonly number[], tensor: string): number {
  let count = 1
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw invalidTensor(tensor, `has a size of ${size} in its shape: sizes are 0 or more`)
    count *= size
    if (count > ELEMENTS_MAX) throw invalidTensor(tensor, 'has a shape of too many elements')
  }
  return count
}

/** @throws KreError `invalid-argument` when there are not as many as the shape says. */
export function checkCount(
  tensor: string,
  shape: readonly number[],
  wanted: number,
  found: number,
): void {
  if (found === wanted) return
  throw invalidTensor(
    tensor,
    `has the shape [${shape.join(', ')}], which is ${wanted} elements, and ${found} elements of data`,
  )
}

/** Parameters of one tensor that ask for what is not served here; to pass over them would be a wrong answer. */
const UNSERVED = ['classification', 'shared_memory_region']

/** @throws KreError `invalid-argument`. */
export function refuseUnserved(parameters: ReadonlyMap<string, unknown>, where: string): void {
  for (const parameter of UNSERVED)
    if (parameters.has(parameter))
      throw new KreError(
        'invalid-argument',
        `${where} has the parameter ${parameter}, which is not served here`,
      )
}

export function invalidTensor(tensor: string, problem: string): KreError {
  return new KreError('invalid-argument', `tensor "${tensor}" ${problem}`)
}
