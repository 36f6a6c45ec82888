import { create } from '@bufbuild/protobuf'
import type { Context, Message } from '@kre/sdk'
import { OrderSchema, ReceiptSchema } from '../gen/public_input_pb.js'

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const order = ctx.unpack(data, OrderSchema)
  // Early reply: the caller has its answer, this handler goes on.
  await ctx.sendEarlyReply(
    create(ReceiptSchema, { text: `${order.quantity} x ${order.item} goes to review` }),
  )
  await ctx.db.save('reviews', { item: order.item, quantity: order.quantity })
}
