/** How a model node's tensors and the fields of its messages belong together. */
import { z } from 'zod'

/** A field of a message, and the sizes of the tensor where they do not follow from the number of values. */
export const TensorField = z.object({
  /** `pixels`, or `image.pixels` inside of messages. */
  field: z.string(),
  /** Of an input: sizes, or integer fields that hold them. Null = from the model and the number of values. */
  shape: z.array(z.union([z.number(), z.string()])).nullable(),
})
export type TensorField = z.infer<typeof TensorField>

export const TensorMapping = z.object({
  /** Name of the message that arrives; null = the rpc's request. */
  input: z.string().nullable(),
  /** Name of the message that is sent; null = the rpc's response. */
  output: z.string().nullable(),
  /** By the names of the model's tensors; those that are not named are found by equal names. */
  inputs: z.record(z.string(), TensorField),
  outputs: z.record(z.string(), TensorField),
})
export type TensorMapping = z.infer<typeof TensorMapping>

export const NO_TENSORS: TensorMapping = { input: null, output: null, inputs: {}, outputs: {} }
