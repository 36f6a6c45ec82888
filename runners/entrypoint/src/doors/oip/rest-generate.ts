/** Triton's generate extension: an inference whose tensors are plain keys of a JSON object. */
import { ScalarType } from '@bufbuild/protobuf'
import { KreError } from '@kre/contracts/runtime'
import type { Inference } from './inference.ts'
import type { Parameter } from './inference-headers.ts'
import type { Model, Side, TensorSpec } from './model.ts'
import { jsonElement } from './rest-response.ts'
import { elementOf, objectOf, parameterOf, parseBody, wrong } from './rest-values.ts'
import { invalidTensor, type Tensor } from './tensor.ts'

/** What the extension calls the text that goes in, and the one that comes out. */
const TEXT_INPUT = 'text_input'
const TEXT_OUTPUT = 'text_output'

/**
 * Keys that name an input are its tensor, all others are parameters; those under `parameters` alike. `text_input` means
 * the only text (the only list of texts) of a model that has no input of this name.
 *
 * @throws KreError `invalid-argument`, or `failed-precondition` for a model whose messages are no tensors.
 */
export function readGenerate(body: Uint8Array, model: Model): Inference {
  checkTensors(model)
  const { id: given, parameters: nested, ...keys } = parseBody(body)
  const id = given ?? ''
  if (typeof id !== 'string') throw wrong('"id" is no string')
  const inputs = new Map<string, Tensor>()
  const parameters = new Map<string, Parameter>()
  const take = (key: string, value: unknown, where: string) => {
    const spec = inputOf(model.inputs, key)
    const name = spec?.name ?? key
    if (inputs.has(name) || parameters.has(name)) throw wrong(`${where} is there twice`)
    if (spec === null) parameters.set(key, parameterOf(value, where))
    else inputs.set(name, readTensor(spec, value))
  }
  for (const [key, value] of Object.entries(keys)) take(key, value, `"${key}"`)
  for (const [key, value] of Object.entries(objectOf(nested ?? {}, '"parameters"')))
    take(key, value, `parameters.${key}`)
  return { id, parameters, inputs: [...inputs.values()], outputs: [] }
}

/**
 * The answer's outputs as keys of their own.
 *
 * @throws KreError `failed-precondition` for elements that JSON has no form for.
 */
export function writeGenerated(
  model: Model,
  tensors: readonly Tensor[],
): Readonly<Record<string, unknown>> {
  const { specs } = model.outputs
  return Object.fromEntries(
    tensors.map(({ name, elements }) => {
      const values = elements.map((element) => jsonElement(element, name))
      const spec = specs.find((each) => each.name === name)
      return [outputName(model, name), spec !== undefined && isScalar(spec) ? values[0] : values]
    }),
  )
}

/** The keys that a part without tensors has all the same: the published schema wants a text in every one. */
export function emptyGenerated(model: Model): Readonly<Record<string, unknown>> {
  const hasText = model.outputs.specs.some(({ name }) => outputName(model, name) === TEXT_OUTPUT)
  return hasText ? { [TEXT_OUTPUT]: '' } : {}
}

function checkTensors({ method, inputs, outputs }: Model): void {
  const isWhole = ({ specs }: Side) => specs.some(({ field }) => field === null)
  if (!isWhole(inputs) && !isWhole(outputs)) return
  throw new KreError(
    'failed-precondition',
    `generate is for messages of numbers and texts, and workflow "${method.served.workflow.id}" takes a ${method.input.typeName} and answers a ${method.output.typeName}: use infer`,
  )
}

/** Null: the key names no input. */
function inputOf({ specs }: Side, key: string): TensorSpec | null {
  const named = specs.find(({ name }) => name === key)
  if (named !== undefined || key !== TEXT_INPUT) return named ?? null
  const texts = specs.filter(isText)
  const single = texts.filter(isScalar)
  const [only, another] = single.length > 0 ? single : texts
  if (only !== undefined && another === undefined) return only
  throw wrong(
    `the model has ${texts.length} texts as inputs: name those instead of "${TEXT_INPUT}"`,
  )
}

function outputName({ outputs: { specs } }: Model, name: string): string {
  if (specs.some((spec) => spec.name === TEXT_OUTPUT)) return name
  const texts = specs.filter((spec) => isText(spec) && isScalar(spec))
  return texts.length === 1 && texts[0]?.name === name ? TEXT_OUTPUT : name
}

function readTensor({ name, datatype }: TensorSpec, value: unknown): Tensor {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.some(Array.isArray)) throw invalidTensor(name, 'is nested: give a list, or one value')
  const elements = values.map((each, i) => elementOf(datatype, each, name, i))
  return { name, datatype, shape: [elements.length], elements, contentType: null }
}

function isText({ field }: TensorSpec): boolean {
  return field?.scalar === ScalarType.STRING
}

function isScalar({ shape: [size] }: TensorSpec): boolean {
  return size === 1
}
