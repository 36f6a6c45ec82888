import type { NodeDraft } from './schema.ts'
import type { TensorField, TensorMapping } from './tensors.ts'

type TensorsDraft = NonNullable<NodeDraft['tensors']>

/** All defaults filled in. */
export function normaliseTensorMapping(draft: TensorsDraft): TensorMapping {
  return {
    input: draft.input ?? null,
    output: draft.output ?? null,
    inputs: normaliseFields(draft.inputs),
    outputs: normaliseFields(draft.outputs),
  }
}

function normaliseFields(fields: TensorsDraft['inputs']): Record<string, TensorField> {
  return Object.fromEntries(
    Object.entries(fields ?? {}).flatMap(([tensor, field]): [string, TensorField][] => {
      if (typeof field === 'string') return [[tensor, { field, shape: null }]]
      if (field?.field === undefined) return []
      const shape = field.shape?.filter((size) => size !== undefined) ?? null
      return [[tensor, { field: field.field, shape }]]
    }),
  )
}
