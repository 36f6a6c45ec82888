import { create } from '@bufbuild/protobuf'
import type { Context, Message } from '@kre/sdk'
import { GreetRequestSchema, GreetResponseSchema } from '../gen/public_input_pb.js'

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const { name } = ctx.unpack(data, GreetRequestSchema)
  ctx.logger.info(`greeting ${name}`)
  await ctx.sendOutput(create(GreetResponseSchema, { greeting: `Hello, ${name}!` }))
}
