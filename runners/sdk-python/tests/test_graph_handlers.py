from __future__ import annotations

import unittest

from kre_runner import call_port
from kre_runner.worker_frame import InitFailed, Output

from .fake_runner import FakeRunner
from .protos import pb

_HANDLER = """
from google.protobuf.any_pb2 import Any
from public_input_pb2 import Request, Response, Other

async def init(ctx):
    ctx.greeting = "Hello"
    ctx.seen = []

async def default_handler(ctx, data):
    request = Request()
    assert data.Unpack(request) is True
    await ctx.send_output(Response(greeting=f"{ctx.greeting} {request.name}!"))

def in_thread(ctx, data):
    ctx.send_output(Response(greeting=f"thread {ctx.unpack(data, Request).name}"), "odd")

async def forward(ctx, data):
    assert isinstance(data, Any) and data.Is(Request.DESCRIPTOR)
    await ctx.send_any(data, channel="forwarded")

async def kinds(ctx, data):
    await ctx.send_early_reply(Response(greeting="early"))
    await ctx.send_early_exit(Response(greeting="exit"), "done")
    await ctx.send_error("no digit")

async def wrong_type(ctx, data):
    other = Other()
    if not data.Unpack(other):
        await ctx.send_output(Response(greeting="KRE's silent default"))

async def copies(ctx, data):
    copy = Any()
    copy.CopyFrom(data)
    await ctx.send_output(Response(greeting=f"{copy.Unpack(Other())} {copy == data}"))

async def private(ctx, data):
    ctx.seen_here = getattr(ctx, "seen_here", 0) + 1
    ctx.seen.append(ctx.get_request_id())
    await ctx.send_output(Response(greeting=f"{ctx.seen_here} {len(ctx.seen)} {ctx.from_node}"))

def decorated(function):
    def run(ctx, data):
        return function(ctx, data)
    return run

@decorated
async def wrapped(ctx, data):
    await ctx.send_output({"greeting": "wrapped"})

async def message(ctx, data):
    kind = [ctx.is_message_ok(), ctx.is_message_error(), ctx.is_message_early_reply(), ctx.is_message_early_exit()]
    text = f"{kind.index(True)} {ctx.get_error_message()} {ctx.attempt} {ctx.deadline_ms()} {ctx.cancelled} {ctx.trace}"
    ctx.send_output(Response(greeting=text))

custom_handlers = {
    "thread": in_thread, "forward": forward, "kinds": kinds, "wrong": wrong_type, "copies": copies,
    "private": private, "wrapped": wrapped, "message": message,
}
"""


class GraphHandlers(unittest.TestCase):
    runner: FakeRunner

    @classmethod
    def setUpClass(cls) -> None:
        cls.runner = FakeRunner(_HANDLER, is_exitpoint=True)
        cls.addClassCleanup(cls.runner.__exit__)
        cls.done = cls.runner.start()

    def greeting(self, from_node: str, **given: object) -> str:
        (output,) = self.runner.run(pb.Request(name="Ann"), from_node=from_node, **given)
        return pb.Response.FromString(bytes(output.value)).greeting

    def test_the_default_handler_answers_with_what_init_prepared(self) -> None:
        (output,) = self.runner.run(pb.Request(name="Ann"))
        self.assertEqual(output.message_type, call_port.OK)
        self.assertEqual(output.type_url, "type.googleapis.com/demo.Response")
        self.assertEqual(pb.Response.FromString(bytes(output.value)).greeting, "Hello Ann!")

    def test_a_custom_handler_of_the_sender_wins_and_may_be_sync(self) -> None:
        (output,) = self.runner.run(pb.Request(name="Ann"), from_node="thread")
        self.assertEqual(output.channel, "odd")
        self.assertEqual(pb.Response.FromString(bytes(output.value)).greeting, "thread Ann")

    def test_forwarding_keeps_type_and_bytes(self) -> None:
        (output,) = self.runner.run(pb.Request(name="Ann"), from_node="forward")
        self.assertEqual(output.type_url, "type.googleapis.com/demo.Request")
        self.assertEqual(bytes(output.value), pb.Request(name="Ann").SerializeToString())

    def test_outputs_keep_their_kind_channel_and_order(self) -> None:
        outputs = self.runner.run(pb.Request(name="Ann"), from_node="kinds")
        self.assertEqual(
            [(output.message_type, output.channel, output.error) for output in outputs],
            [
                (call_port.EARLY_REPLY, "", ""),
                (call_port.EARLY_EXIT, "done", ""),
                (call_port.ERROR, "", "no digit"),
            ],
        )

    def test_unpacking_a_wrong_type_raises(self) -> None:
        failed = self.runner.fail(pb.Request(name="Ann"), from_node="wrong")
        self.assertEqual(failed.text, 'the payload is a "demo.Request", not a "demo.Other"')

    def test_unpacking_an_error_message_raises_with_its_text(self) -> None:
        failed = self.runner.fail(
            message_type=call_port.ERROR, error="boom upstream", from_node="wrong"
        )
        self.assertIn("the message is an error and has no payload: boom upstream", failed.text)

    def test_unpacking_malformed_bytes_raises(self) -> None:
        failed = self.runner.fail(type_url="type.googleapis.com/demo.Request", value=b"\x0a\x7f")
        self.assertIn('the payload\'s bytes are not a "demo.Request"', failed.text)

    def test_a_copy_of_the_message_is_an_any_like_all_others(self) -> None:
        self.assertEqual(self.greeting("copies"), "False True")

    def test_attributes_of_a_handler_are_private_to_its_call(self) -> None:
        self.assertEqual(self.greeting("private"), "1 1 private")
        self.assertEqual(self.greeting("private"), "1 2 private")

    def test_a_sync_wrapper_of_an_async_handler_is_awaited(self) -> None:
        self.assertEqual(self.greeting("wrapped"), "wrapped")

    def test_the_context_says_what_the_message_is(self) -> None:
        far = 4_000_000_000_000
        metadata = {"traceparent": "00-a"}
        self.assertEqual(
            self.greeting("message", attempt=3, deadline_unix_ms=far, metadata=metadata),
            f"0  3 {far} False 00-a",
        )
        self.assertEqual(
            self.greeting("message", message_type=call_port.ERROR, error="E", deadline_unix_ms=1),
            "1 E 1 1 True ",
        )
        self.assertEqual(
            self.greeting("message", message_type=call_port.EARLY_REPLY), "2  1 0 False "
        )
        self.assertEqual(
            self.greeting("message", message_type=call_port.EARLY_EXIT), "3  1 0 False "
        )

    def test_a_handler_that_tests_for_errors_gets_them(self) -> None:
        self.assertTrue(self.done.handles_errors)


class Missing(unittest.TestCase):
    def test_a_sender_without_a_handler_fails_by_its_name(self) -> None:
        with FakeRunner("async def one(ctx, data): ...\ncustom_handlers = {'one': one}") as runner:
            self.assertFalse(runner.start().handles_errors)
            self.assertRegex(
                runner.fail(from_node="two").text, "no handler for messages from node 'two'"
            )
            self.assertEqual(runner.run(from_node="one"), [])

    def test_a_returned_value_that_goes_nowhere_is_said_once(self) -> None:
        handler = """
        from public_input_pb2 import Response
        async def default_handler(ctx, data):
            return Response(greeting="in vain")
        def sends(ctx, data):
            ctx.send_output(Response())
            return True
        custom_handlers = {"sends": sends}
        """
        with FakeRunner(handler, is_exitpoint=True) as runner:
            runner.start()
            self.assertEqual(len(runner.run(from_node="sends")), 1)
            self.assertEqual(runner.logs(), [])
            self.assertEqual(runner.run() + runner.run(), [])
            ((level, text),) = runner.logs()
            self.assertEqual(level, "WARN")
            self.assertIn("returned a value and sent nothing: only what ctx.send_output", text)

    def test_a_file_without_handlers_is_refused(self) -> None:
        with FakeRunner("x = 1") as runner:
            self.assertIn("the file defines no handler", runner.take(InitFailed).text)

    def test_an_error_handler_gets_the_errors(self) -> None:
        handler = """
        async def default_handler(ctx, data): ...
        async def error_handler(ctx, data):
            await ctx.send_error("seen: " + ctx.get_error_message())
        """
        with FakeRunner(handler) as runner:
            self.assertTrue(runner.start().handles_errors)
            outputs = runner.run(message_type=call_port.ERROR, error="boom")
            self.assertEqual([output.error for output in outputs], ["seen: boom"])
            self.assertIsInstance(outputs[0], Output)
