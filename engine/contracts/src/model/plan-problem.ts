/** What is wrong with how a model and its messages fit together, in the author's words. */
import type { TensorField } from '../manifest/tensors.ts'
import type { MessageType } from './message-catalog.ts'
import { canFeed, describeField, type FieldRef } from './tensor-fields.ts'
import { formatTensor, quoted, type TensorSignature } from './tensor-type.ts'

export type PlanProblem = {
  /** Place below the manifest's `tensors`; empty = the node. */
  readonly path: readonly (string | number)[]
  readonly what: 'message' | 'tensor' | 'field'
  readonly message: string
  readonly hint?: string
}

export type ReportProblem = (problem: PlanProblem) => void

/** Names of the mapping that the model does not have. */
export function reportUnknownTensors(
  fields: Readonly<Record<string, TensorField>>,
  tensors: readonly TensorSignature[],
  side: 'input' | 'output',
  report: ReportProblem,
): void {
  for (const name of Object.keys(fields)) {
    if (tensors.some((tensor) => tensor.name === name)) continue
    report({
      path: [`${side}s`, name],
      what: 'tensor',
      message: `the model has no ${side} ${quoted(name)}`,
      hint: `it has ${list(tensors.map(formatTensor))}`,
    })
  }
}

export function noField(
  tensor: TensorSignature,
  message: MessageType,
  taken: ReadonlySet<string>,
): PlanProblem {
  const { name, type } = tensor
  const fitting = message.fields.filter(
    (field) =>
      field.kind !== null &&
      type !== null &&
      !taken.has(field.name) &&
      canFeed(field.kind, field.isRepeated, type),
  )
  return {
    path: [],
    what: 'tensor',
    message: `no field of ${message.name} is known to feed input ${formatTensor(tensor)} of the model`,
    hint:
      fitting.length === 0
        ? `none of its fields fits: ${list(message.fields.map((f) => `${f.name} (${describeField(f)})`))}`
        : `write tensors.inputs: {${quoted(name)}: ${fitting
            .slice(0, 8)
            .map((field) => field.name)
            .join(' or ')}}`,
  }
}

export function fieldProblem(
  path: readonly string[],
  side: 'input' | 'output',
  tensor: TensorSignature,
  problem: string,
  message: MessageType,
): PlanProblem {
  return {
    path,
    what: 'field',
    message: `${side} ${formatTensor(tensor)} of the model: ${problem}`,
    hint: `${message.name} has ${list(message.fields.map((f) => `${f.name} (${describeField(f)})`))}`,
  }
}

export function misfit(field: FieldRef): string {
  return `field ${quoted(field.path)} is ${describeField(field)}, which does not fit`
}

/** At most eight of them. */
export function list(items: readonly string[]): string {
  if (items.length === 0) return 'none'
  const shown = items.slice(0, 8).join(', ')
  return items.length > 8 ? `${shown} and ${items.length - 8} more` : shown
}
