import { isDecoupled, type Model, PLATFORM, type Side } from './model.ts'

/** A model's configuration as Triton's clients read it, of which those fields are there that are not its default. */
export type ConfigDescription = {
  name: string
  platform: string
  backend: string
  /** 0: shapes have no dimension for batches. */
  max_batch_size: number
  input: ConfigTensor[]
  output: ConfigTensor[]
  model_transaction_policy: { decoupled: boolean }
}

type ConfigTensor = { name: string; data_type: string; dims: number[]; optional?: boolean }

export function describeConfig(name: string, model: Model): ConfigDescription {
  return {
    name,
    platform: PLATFORM,
    backend: PLATFORM,
    max_batch_size: 0,
    input: tensorsOf(model.inputs).map((tensor, i) => ({
      ...tensor,
      optional: model.inputs.specs[i]?.isOptional ?? false,
    })),
    output: tensorsOf(model.outputs),
    model_transaction_policy: { decoupled: isDecoupled(model) },
  }
}

function tensorsOf({ specs }: Side): ConfigTensor[] {
  return specs.map(({ name, datatype, shape }) => ({
    name,
    data_type: `TYPE_${datatype.kind === 'bytes' ? 'STRING' : datatype.name}`,
    dims: [...shape],
  }))
}
