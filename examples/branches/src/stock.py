from public_input_pb2 import Order, Stock


async def default_handler(ctx, data):
    order = Order()
    data.Unpack(order)
    if order.item == "ghost":
        raise ValueError("nobody has ever seen a ghost")
    await ctx.send_output(Stock(available=order.quantity <= 10))
