/** What model nodes need of the contracts: at upload, and in the processes that run them. */
export {
  readMessageCatalog,
  type FieldKind,
  type MessageCatalog,
  type MessageField,
} from './message-catalog.ts'
export {
  planTensors,
  type PlannedInput,
  type PlannedTensor,
  type TensorPlan,
} from './plan-tensors.ts'
export type { PlanProblem } from './plan-problem.ts'
export type { FieldRef } from './tensor-fields.ts'
export {
  formatShape,
  TENSOR_TYPES,
  type ModelSignature,
  type TensorSignature,
  type TensorType,
} from './tensor-type.ts'
