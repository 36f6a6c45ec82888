// Runs the ONNX model. The session is opened once, before the first request.
import { create } from '@bufbuild/protobuf'
import type { Context, Message } from '@kre/sdk'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { ModelInputSchema, ModelOutputSchema } from '../gen/public_input_pb.js'

let session: InferenceSession

export async function init(ctx: Context): Promise<void> {
  session = await InferenceSession.create(ctx.path('models/digits.onnx'), { intraOpNumThreads: 1 })
}

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const { brightness, trueLabel } = ctx.unpack(data, ModelInputSchema)
  const pixels = new Tensor('float32', Float32Array.from(brightness), [1, brightness.length])
  const { probabilities } = await session.run({ pixels })
  await ctx.sendOutput(
    create(ModelOutputSchema, {
      probabilities: Array.from(probabilities?.data as Float32Array),
      trueLabel,
    }),
  )
}
