import { create } from '@bufbuild/protobuf'
import type { Context, Message } from '@kre/sdk'
import { PriceSchema, ReceiptSchema, StockSchema } from '../gen/public_input_pb.js'

type Parts = { cents?: number; available?: boolean }

/** What has arrived of each request: one replica, so both parts meet here. The oldest go, so it can't grow for ever. */
const WAITING_MAX = 10_000
const waiting = new Map<string, Parts>()

export const customHandlers = {
  price: (ctx: Context, data: Message) => meet(ctx, { cents: ctx.unpack(data, PriceSchema).cents }),
  stock: (ctx: Context, data: Message) =>
    meet(ctx, { available: ctx.unpack(data, StockSchema).available }),
}

/** An error of price or stock arrives here instead of ending the request. */
export async function errorHandler(ctx: Context): Promise<void> {
  waiting.delete(ctx.requestId)
  await ctx.sendOutput(create(ReceiptSchema, { text: `no order: ${ctx.errorMessage}` }))
}

async function meet(ctx: Context, part: Parts): Promise<void> {
  const { cents, available } = { ...waiting.get(ctx.requestId), ...part }
  if (cents === undefined || available === undefined) {
    waiting.set(ctx.requestId, { ...waiting.get(ctx.requestId), ...part })
    const [oldest] = waiting.keys()
    if (waiting.size > WAITING_MAX && oldest !== undefined) waiting.delete(oldest)
    return
  }
  waiting.delete(ctx.requestId)
  await ctx.sendOutput(
    create(ReceiptSchema, { text: available ? 'ordered' : 'out of stock', cents, available }),
  )
}
