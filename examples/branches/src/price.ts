import { create } from '@bufbuild/protobuf'
import type { Context, Message } from '@kre/sdk'
import { OrderSchema, PriceSchema } from '../gen/public_input_pb.js'

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const { quantity } = ctx.unpack(data, OrderSchema)
  await ctx.sendOutput(create(PriceSchema, { cents: quantity * 250 }))
}
