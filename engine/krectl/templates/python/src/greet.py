from public_input_pb2 import GreetRequest, GreetResponse


async def default_handler(ctx, data):
    request = GreetRequest()
    data.Unpack(request)
    ctx.logger.info(f"greeting {request.name}")
    await ctx.send_output(GreetResponse(greeting=f"Hello, {request.name}!"))
