from public_input_pb2 import GreetRequest


async def default_handler(ctx, data):
    request = GreetRequest()
    data.Unpack(request)
    request.name = request.name.strip() or "world"
    await ctx.send_output(request)
