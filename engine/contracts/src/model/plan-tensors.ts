/**
 * Which field of a node's messages feeds which input of its model, and which field takes which output: from what the
 * manifest says, else by equal names, else by there being only one field that fits. Pure: the same at upload and at start.
 */
import type { TensorField, TensorMapping } from '../manifest/tensors.ts'
import { findMessage } from './find-message.ts'
import type { MessageCatalog, MessageField, MessageType } from './message-catalog.ts'
import {
  fieldProblem,
  list,
  misfit,
  noField,
  reportUnknownTensors,
  type PlanProblem,
  type ReportProblem,
} from './plan-problem.ts'
import {
  canFeed,
  canHold,
  describeField,
  findField,
  isIntegerKind,
  type FieldRef,
} from './tensor-fields.ts'
import {
  formatTensor,
  quoted,
  type ModelSignature,
  type TensorSignature,
  type TensorType,
} from './tensor-type.ts'

export type PlannedTensor = {
  readonly name: string
  readonly type: TensorType
  /** As the model declares it. */
  readonly modelShape: TensorSignature['shape']
  readonly field: FieldRef
}
export type PlannedInput = PlannedTensor & {
  /** As the manifest says: sizes and integer fields; null = from the model and the number of values. */
  readonly shape: readonly (number | FieldRef)[] | null
}

export type TensorPlan = {
  readonly inputType: string
  readonly outputType: string
  readonly inputs: readonly PlannedInput[]
  /** Outputs that no field takes are not computed. */
  readonly outputs: readonly PlannedTensor[]
  /** Fields of the same name and type in both messages that the model does not fill: copied, by their numbers. */
  readonly carried: readonly { readonly from: number; readonly to: number }[]
}

export type PlanRequest = {
  readonly signature: ModelSignature
  readonly catalog: MessageCatalog
  readonly mapping: TensorMapping
  /** Full names of the rpc's messages where the node gets the request, or gives the answer. */
  readonly requestType: string | null
  readonly responseType: string | null
}

export type PlanResult =
  | { ok: true; plan: TensorPlan }
  | { ok: false; problems: readonly PlanProblem[] }

export function planTensors(request: PlanRequest): PlanResult {
  const { signature, catalog, mapping, requestType, responseType } = request
  const problems: PlanProblem[] = []
  const report = (problem: PlanProblem) => void problems.push(problem)
  const input = findMessage(catalog, mapping.input, requestType, 'input', report)
  const output = findMessage(catalog, mapping.output, responseType, 'output', report)
  if (input === null || output === null) return { ok: false, problems }
  const inputs = planInputs(signature, input, { catalog, mapping, report })
  const carriable = carriableFields(input, output)
  const outputs = planOutputs(signature, output, carriable, { catalog, mapping, report })
  if (problems.length > 0) return { ok: false, problems }
  const filled = new Set(outputs.map(({ field }) => field.numbers[0]))
  const carried = carriable.filter(({ to }) => !filled.has(to))
  return {
    ok: true,
    plan: { inputType: input.name, outputType: output.name, inputs, outputs, carried },
  }
}

type Context = {
  catalog: MessageCatalog
  mapping: TensorMapping
  report: ReportProblem
}

function planInputs(
  { inputs }: ModelSignature,
  message: MessageType,
  context: Context,
): PlannedInput[] {
  const { mapping, report } = context
  reportUnknownTensors(mapping.inputs, inputs, 'input', report)
  const taken = takenFields(mapping.inputs, inputs)
  const unsaid = inputs.filter(({ name }) => ownEntry(mapping.inputs, name) === undefined)
  const isLone = unsaid.length === 1
  return inputs.flatMap((tensor): PlannedInput[] => {
    const chosen = ownEntry(mapping.inputs, tensor.name)
    const path = chosen === undefined ? [] : ['inputs', tensor.name]
    if (tensor.type === null) {
      report({
        path,
        what: 'tensor',
        message: `input ${quoted(tensor.name)} of the model is no tensor of a type that messages can hold`,
        hint: 'use a TypeScript or Python node, or export the model with tensors',
      })
      return []
    }
    const { type } = tensor
    const field =
      chosen === undefined
        ? guessField(message, tensor.name, isLone, (candidate) =>
            candidate.kind === null || taken.has(candidate.name)
              ? false
              : canFeed(candidate.kind, candidate.isRepeated, type),
          )
        : findField(context.catalog, message, chosen.field)
    if (field === null) {
      report(noField(tensor, message, taken))
      return []
    }
    if ('problem' in field) {
      report(fieldProblem([...path], 'input', tensor, field.problem, message))
      return []
    }
    if (!canFeed(field.kind, field.isRepeated, type)) {
      report(fieldProblem([...path], 'input', tensor, misfit(field), message))
      return []
    }
    const shape = planShape(tensor, chosen, message, path, context)
    return [{ name: tensor.name, type, modelShape: tensor.shape, field, shape }]
  })
}

function planOutputs(
  { outputs }: ModelSignature,
  message: MessageType,
  carriable: TensorPlan['carried'],
  context: Context,
): PlannedTensor[] {
  const { mapping, report } = context
  reportUnknownTensors(mapping.outputs, outputs, 'output', report)
  const taken = takenFields(mapping.outputs, outputs)
  const copied = new Set(carriable.map(({ to }) => to))
  const isLone = outputs.length === 1
  let refused = false
  const planned = outputs.flatMap((tensor): PlannedTensor[] => {
    const { type } = tensor
    const chosen = ownEntry(mapping.outputs, tensor.name)
    if (type === null) {
      if (chosen === undefined) return []
      refused = true
      const text = 'the model gives no tensor there (export classifiers with zipmap=False)'
      report(fieldProblem(['outputs', tensor.name], 'output', tensor, text, message))
      return []
    }
    const fits = (candidate: MessageField) =>
      candidate.kind !== null &&
      !taken.has(candidate.name) &&
      canHold(candidate.kind, candidate.isRepeated, type)
    const field =
      chosen === undefined
        ? (guessField(message, tensor.name, isLone, (c) => fits(c) && !copied.has(c.number)) ??
          guessField(message, tensor.name, isLone, fits))
        : findField(context.catalog, message, chosen.field)
    if (field === null) return []
    const problem =
      'problem' in field
        ? field.problem
        : canHold(field.kind, field.isRepeated, type)
          ? null
          : misfit(field)
    if (problem === null && !('problem' in field))
      return [{ name: tensor.name, type, modelShape: tensor.shape, field }]
    refused = true
    const path = chosen === undefined ? [] : ['outputs', tensor.name]
    report(fieldProblem(path, 'output', tensor, problem ?? '', message))
    return []
  })
  reportSharedFields(planned, report)
  if (planned.length === 0 && !refused)
    report({
      path: [],
      what: 'tensor',
      message: `no field of ${message.name} takes an output of the model, which gives ${list(outputs.map(formatTensor))}`,
      hint: 'say which under tensors.outputs: {<output>: <field>}',
    })
  return planned
}

/** Two outputs in one field would be one list that nobody can take apart. */
function reportSharedFields(planned: readonly PlannedTensor[], report: ReportProblem): void {
  const owners = new Map<string, string>()
  for (const { name, field } of planned) {
    const owner = owners.get(field.path)
    if (owner === undefined) owners.set(field.path, name)
    else
      report({
        path: [],
        what: 'field',
        message: `outputs ${quoted(owner)} and ${quoted(name)} go into the same field ${quoted(field.path)}`,
        hint: 'give each a field of its own under tensors.outputs',
      })
  }
}

/** The field of the same name, or the only one that fits when there is only one tensor to place; null = neither. */
function guessField(
  message: MessageType,
  tensor: string,
  isLone: boolean,
  fits: (field: MessageField) => boolean,
): FieldRef | null {
  const named = message.fields.find(
    (field) => simplified(field.name) === simplified(tensor) && fits(field),
  )
  const fitting = isLone
    ? message.fields.filter((field) => (field.isRepeated || field.kind === 'bytes') && fits(field))
    : []
  const field = named ?? (fitting.length === 1 ? fitting[0] : undefined)
  if (field === undefined || field.kind === null) return null
  const { name, number, kind, isRepeated } = field
  return { path: name, numbers: [number], kind, isRepeated }
}

/** `inputIds`, `input_ids` and `Input-IDs` are one name. */
function simplified(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

function planShape(
  tensor: TensorSignature,
  chosen: TensorField | undefined,
  message: MessageType,
  path: readonly string[],
  { catalog, report }: Context,
): PlannedInput['shape'] {
  const written = chosen?.shape ?? null
  const add = (at: readonly (string | number)[], text: string, hint: string) =>
    report({
      path: [...path, ...at],
      what: 'field',
      message: `input ${formatTensor(tensor)} ${text}`,
      hint,
    })
  if (written === null) {
    if (tensor.shape.filter((size) => typeof size === 'string').length > 2)
      add(
        [],
        'has more than two sizes that may change',
        'say them: {field: …, shape: [1, 3, h, w]}',
      )
    return null
  }
  if (tensor.shape.length > 0 && written.length !== tensor.shape.length) {
    add(['shape'], `has ${tensor.shape.length} sizes, the manifest says ${written.length}`, '')
    return null
  }
  return written.flatMap((size, i): (number | FieldRef)[] => {
    const declared = tensor.shape[i]
    if (typeof size === 'number') {
      if (typeof declared === 'number' && declared !== size)
        add(['shape', i], `has ${declared} there, the manifest says ${size}`, `write ${declared}`)
      return [size]
    }
    const field = findField(catalog, message, size)
    if ('problem' in field) add(['shape', i], `can't have that size: ${field.problem}`, '')
    else if (field.isRepeated || !isIntegerKind(field.kind))
      add(['shape', i], `can't have the size ${quoted(size)}: it is ${describeField(field)}`, '')
    else return [field]
    return []
  })
}

function carriableFields(input: MessageType, output: MessageType): { from: number; to: number }[] {
  return output.fields.flatMap((to) => {
    const from = input.fields.find(
      (field) =>
        field.name === to.name &&
        field.kind !== null &&
        field.kind === to.kind &&
        field.isRepeated === to.isRepeated &&
        field.typeName === to.typeName,
    )
    return from === undefined ? [] : [{ from: from.number, to: to.number }]
  })
}

/** Fields that the manifest gives to tensors which the model has. */
function takenFields(
  fields: Readonly<Record<string, TensorField>>,
  tensors: readonly TensorSignature[],
): ReadonlySet<string> {
  return new Set(tensors.flatMap(({ name }) => ownEntry(fields, name)?.field ?? []))
}

function ownEntry<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
