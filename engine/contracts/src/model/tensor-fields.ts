/** Which fields can hold which tensors. */
import type { FieldKind, MessageCatalog, MessageField, MessageType } from './message-catalog.ts'
import { quoted, type TensorType } from './tensor-type.ts'

/** A field that is found by its path from the message's root. */
export type FieldRef = {
  readonly path: string
  /** Field numbers from the root on. */
  readonly numbers: readonly number[]
  readonly kind: FieldKind
  readonly isRepeated: boolean
}

const INTEGER_KINDS: ReadonlySet<string> = new Set([
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
])
const FLOAT_KINDS: ReadonlySet<string> = new Set(['float', 'double'])

export function isIntegerKind(kind: FieldKind): boolean {
  return INTEGER_KINDS.has(kind)
}

/** Deeper messages than these are no place for a tensor. */
const PATH_STEPS_MAX = 16

/** @returns the field, or why there is none. */
export function findField(
  catalog: MessageCatalog,
  message: MessageType,
  path: string,
): FieldRef | { problem: string } {
  const steps = path.split('.')
  if (steps.length > PATH_STEPS_MAX) return { problem: `has more than ${PATH_STEPS_MAX} steps` }
  const numbers: number[] = []
  let at = message
  for (const [i, step] of steps.entries()) {
    const field = at.fields.find(({ name }) => name === step)
    if (field === undefined) return { problem: `${at.name} has no field ${quoted(step)}` }
    numbers.push(field.number)
    const isLast = i === steps.length - 1
    if (isLast && field.kind !== null && field.kind !== 'message')
      return { path, numbers, kind: field.kind, isRepeated: field.isRepeated }
    const inner = catalog.get(field.typeName)
    if (isLast || field.kind !== 'message' || inner === undefined)
      return { problem: `${quoted(steps.slice(0, i + 1).join('.'))} is ${describeField(field)}` }
    if (field.isRepeated)
      return { problem: `${quoted(steps.slice(0, i + 1).join('.'))} is a list of messages` }
    at = inner
  }
  return { problem: 'is empty' }
}

/** `repeated float`, `bytes`, `digits.Image` */
export function describeField(
  field: Pick<MessageField, 'kind' | 'isRepeated'> & { typeName?: string },
): string {
  const type = field.kind === 'message' || field.kind === null ? field.typeName : field.kind
  return `${field.isRepeated ? 'repeated ' : ''}${type ?? 'message'}`
}

/** Whether values of the field can become elements of the tensor. Bytes hold any numbers, little-endian. */
export function canFeed(kind: FieldKind, isRepeated: boolean, tensor: TensorType): boolean {
  if (kind === 'bytes') return !isRepeated && tensor !== 'string'
  if (tensor === 'string') return kind === 'string'
  if (tensor === 'bool') return kind === 'bool'
  if (INTEGER_KINDS.has(kind) || kind === 'enum') return true
  return FLOAT_KINDS.has(kind) && tensor.startsWith('float')
}

/** Whether elements of the tensor can become values of the field; integers are checked against its range as they come. */
export function canHold(kind: FieldKind, isRepeated: boolean, tensor: TensorType): boolean {
  if (kind === 'bytes') return !isRepeated && tensor !== 'string'
  if (tensor === 'string') return kind === 'string'
  if (tensor === 'bool') return kind === 'bool'
  if (FLOAT_KINDS.has(kind)) return true
  return INTEGER_KINDS.has(kind) && !tensor.startsWith('float')
}
