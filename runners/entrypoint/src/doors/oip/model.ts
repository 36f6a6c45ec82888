/** A workflow as a model: which tensors its request and its answer are. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { KreError } from '@kre/contracts/runtime'
import { type CallableMethod, isCallable } from '../../json/typed-method.ts'
import { typesOf } from '../../json/version-types.ts'
import type { ServedVersion } from '../../versions/served-version.ts'
import { type Datatype, datatypeOf } from './datatype.ts'

/** What all models here run on, in the words of model metadata. */
export const PLATFORM = 'kre'

export type Model = {
  readonly method: CallableMethod
  readonly inputs: Side
  readonly outputs: Side
}

/** A message as tensors: its fields, or all of it as one. */
export type Side = {
  readonly message: DescMessage
  readonly specs: readonly TensorSpec[]
}

export type TensorSpec = {
  readonly name: string
  readonly datatype: Datatype
  /** -1: of any size. */
  readonly shape: readonly [-1] | readonly [1]
  /** Null: the whole message. */
  readonly field: ScalarField | null
  readonly isOptional: boolean
}

export type ScalarField = DescField & { readonly scalar: ScalarType }

const known = new WeakMap<ServedVersion, readonly Model[]>()

/** One model for each workflow. @throws KreError `internal` when the version's descriptors can't be read. */
export function modelsOf(version: ServedVersion): readonly Model[] {
  let models = known.get(version)
  if (models === undefined) {
    models = [...typesOf(version).methods.values()].filter(isCallable).map((method) => ({
      method,
      inputs: sideOf(method.input, 'request'),
      outputs: sideOf(method.output, 'response'),
    }))
    known.set(version, models)
  }
  return models
}

/**
 * @param name `<runtime>.<workflow>`, or the workflow alone.
 * @param wanted name of the bundle's version; empty = the one in force.
 * @throws KreError `not-found`.
 */
export function findModel(version: ServedVersion, name: string, wanted: string): Model {
  const { runtimeId, version: current } = version.ref
  const prefix = `${runtimeId}.`
  const workflow = name.startsWith(prefix) ? name.slice(prefix.length) : name
  const model = modelsOf(version).find(({ method }) => method.served.workflow.id === workflow)
  if (model === undefined) {
    const names = modelsOf(version).map(({ method }) => prefix + method.served.workflow.id)
    throw new KreError(
      'not-found',
      `model "${name}" is not known: version "${current}" has ${names.join(', ') || 'none'}`,
    )
  }
  if (wanted === '' || wanted === current) return model
  throw new KreError(
    'not-found',
    `model "${name}" has no version "${wanted}" here: version "${current}" is in force`,
  )
}

/** A request may have any number of answers (Triton's word for it). */
export function isDecoupled({ method }: Model): boolean {
  return method.served.isStreaming
}

export function isModelReady({ method }: Model): boolean {
  const { missing, sleepers } = method.served.workflow
  return missing.every((node) => sleepers.has(node))
}

const WHOLE = datatypeOf('BYTES') as Datatype

function sideOf(message: DescMessage, whole: string): Side {
  const specs = message.fields.map(specOf)
  const isTensorLike = specs.length > 0 && specs.every((spec) => spec !== null)
  if (isTensorLike) return { message, specs }
  const spec = { name: whole, datatype: WHOLE, shape: [1], field: null, isOptional: false } as const
  return { message, specs: [spec] }
}

const DATATYPE_OF: Readonly<Record<ScalarType, string>> = {
  [ScalarType.BOOL]: 'BOOL',
  [ScalarType.INT32]: 'INT32',
  [ScalarType.SINT32]: 'INT32',
  [ScalarType.SFIXED32]: 'INT32',
  [ScalarType.INT64]: 'INT64',
  [ScalarType.SINT64]: 'INT64',
  [ScalarType.SFIXED64]: 'INT64',
  [ScalarType.UINT32]: 'UINT32',
  [ScalarType.FIXED32]: 'UINT32',
  [ScalarType.UINT64]: 'UINT64',
  [ScalarType.FIXED64]: 'UINT64',
  [ScalarType.FLOAT]: 'FP32',
  [ScalarType.DOUBLE]: 'FP64',
  [ScalarType.STRING]: 'BYTES',
  [ScalarType.BYTES]: 'BYTES',
}

function specOf(field: DescField): TensorSpec | null {
  const isList = field.fieldKind === 'list'
  const { scalar } = field
  if (scalar === undefined || (isList ? field.listKind : field.fieldKind) !== 'scalar') return null
  // A member of a oneof excludes the others, which tensors have no words for.
  if (field.oneof !== undefined) return null
  const datatype = datatypeOf(DATATYPE_OF[scalar])
  if (datatype === undefined) return null
  return {
    name: field.name,
    datatype,
    shape: isList ? [-1] : [1],
    field: field as ScalarField,
    isOptional: field.proto.proto3Optional,
  }
}
