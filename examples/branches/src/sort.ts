import { create } from '@bufbuild/protobuf'
import type { Context, Message } from '@kre/sdk'
import { OrderSchema, ReceiptSchema } from '../gen/public_input_pb.js'

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const order = ctx.unpack(data, OrderSchema)
  if (order.quantity === 0) throw new Error('an order needs a quantity')
  if (order.item === 'sample') {
    // Early exit: this is the answer, and nothing follows.
    await ctx.sendEarlyExit(create(ReceiptSchema, { text: 'samples are free', available: true }))
    return
  }
  await ctx.sendOutput(order, order.quantity > 100 ? 'large' : undefined)
}
