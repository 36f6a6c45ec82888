import type { Context, Message } from '@kre/sdk'
import { GreetRequestSchema } from '../gen/public_input_pb.js'

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const request = ctx.unpack(data, GreetRequestSchema)
  request.name = request.name.trim() || 'world'
  await ctx.sendOutput(request)
}
