"""Puts what was read in order, keeps the text, and answers the caller."""

from public_input_pb2 import Text, Words
from reading_order import join_lines

# Below it, the recogniser has mostly read something that is no text.
CONFIDENCE_MIN = 0.5


async def default_handler(ctx, data):
    read = Words()
    data.Unpack(read)
    words = [word for word in read.words if word.confidence >= CONFIDENCE_MIN]
    lines = join_lines(words)
    full_text = "\n".join(line["text"] for line in lines)

    await ctx.db.save("texts", {"requestId": ctx.get_request_id(), "text": full_text, "lines": len(lines)})
    uncertain = len(read.words) - len(words)
    ctx.logger.info(f"{len(lines)} lines, {len(full_text)} characters, {uncertain} uncertain words left out")
    await ctx.send_output(Text(lines=lines, full_text=full_text))
