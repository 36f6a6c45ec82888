"""``ctx.stream``, and outputs of the exitpoint where the rpc returns a stream."""

from __future__ import annotations

import json
import unittest
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Struct

from kre_runner.handler_errors import ServiceError
from kre_runner.testing import run_handler
from kre_runner.worker_frame import Call, CallResult, Done

from .fake_runner import FakeRunner
from .protos import pb

Request, Response = pb.Request, pb.Response

HANDLER = """
import asyncio
from public_input_pb2 import Request, Response
from google.protobuf.struct_pb2 import Struct

async def default_handler(ctx, data):
    for i in range(3):
        await ctx.stream.write(Response(greeting=f"write {i}"))
    await ctx.stream.write({"greeting": "a dict"})
    await ctx.send_output(Response(greeting="output"))
    await ctx.send_output(Response(greeting="elsewhere"), "channel")

def in_thread(ctx, data):
    ctx.stream.write(Response(greeting="sync"))
    ctx.send_output(Response(greeting="output"))

async def caught(ctx, data):
    try:
        await ctx.stream.write(Struct())
    except Exception as error:
        await ctx.stream.write(Response(greeting=f"{type(error).__name__}: {error}"))

custom_handlers = {"thread": in_thread, "caught": caught}
"""


def greeting_of(call: Call) -> str:
    packed = AnyMessage(type_url=json.loads(call.arguments)["typeUrl"], value=bytes(call.data))
    response = Response()
    assert packed.Unpack(response)
    return response.greeting


def runner(**init: Any) -> FakeRunner:
    return FakeRunner(HANDLER, is_streaming=True, **init)


class StreamTest(unittest.TestCase):
    def test_sends_messages_in_order_and_the_outputs_of_the_exitpoint_as_messages(self) -> None:
        with runner(is_exitpoint=True) as worker:
            worker.start()
            for method in ("stream.write", "stream.output"):
                worker.services[method] = lambda _arguments, _data: None
            outputs = worker.run(Request(name="x"))
            calls = [(call.method, greeting_of(call)) for call in worker.calls()]
            self.assertEqual(
                calls,
                [
                    ("write", "write 0"),
                    ("write", "write 1"),
                    ("write", "write 2"),
                    ("write", "a dict"),
                    ("output", "output"),
                ],
            )
            self.assertEqual([output.channel for output in outputs], ["channel"])

    def test_waits_for_the_callers_room_before_each_message(self) -> None:
        with runner() as worker:
            worker.start()
            call_id = worker.handle(Request(name="x"))
            for expected in ("write 0", "write 1", "write 2", "a dict"):
                call = worker.take(Call)
                self.assertEqual(greeting_of(call), expected)
                self.assertEqual([frame for frame in worker.frames if isinstance(frame, Call)], [])
                worker.send(CallResult(call.id, result="null"))
            worker.take(Done, call_id=call_id)

    def test_works_in_sync_handlers(self) -> None:
        with runner(is_exitpoint=True) as worker:
            worker.start()
            for method in ("stream.write", "stream.output"):
                worker.services[method] = lambda _arguments, _data: None
            worker.run(Request(name="x"), from_node="thread")
            self.assertEqual([greeting_of(call) for call in worker.calls()], ["sync", "output"])

    def test_raises_what_the_runner_refuses(self) -> None:
        with runner() as worker:
            worker.start()
            written: list[bytes] = []

            def write(arguments: dict[str, Any], data: bytes) -> None:
                if arguments["typeUrl"].endswith("Struct"):
                    raise ValueError("another type")
                written.append(data)

            worker.services["stream.write"] = write
            worker.run(Request(name="x"), from_node="caught")
            self.assertEqual(Response.FromString(written[0]).greeting, "ServiceError: another type")

    def test_a_cancelled_call_stops_at_its_next_message(self) -> None:
        with runner() as worker:
            worker.start()
            call_id = worker.handle(Request(name="x"))
            worker.take(Call)
            worker.cancel(call_id)
            _, end = worker.outcome(call_id)
            self.assertNotIsInstance(end, Done)


class RunHandlerTest(unittest.TestCase):
    def test_gives_the_messages_of_a_stream(self) -> None:
        async def default_handler(ctx: Any, data: Any) -> None:
            await ctx.stream.write(Response(greeting="one"))
            await ctx.send_output(Response(greeting="two"))

        result = run_handler(
            {"default_handler": default_handler},
            Request(name="x"),
            is_streaming=True,
            is_exitpoint=True,
            response_type="demo.Response",
        )
        self.assertEqual([frame.TypeName() for frame in result.frames], ["demo.Response"])
        self.assertEqual(result.outputs[0].unpack(Response()).greeting, "two")

    def test_refuses_a_stream_that_is_none_and_messages_of_another_type(self) -> None:
        async def default_handler(ctx: Any, data: Any) -> None:
            await ctx.stream.write(Struct())

        for options, text in (
            ({}, "returns one answer"),
            (
                {"is_streaming": True, "response_type": "demo.Response"},
                'a stream of "demo.Response"',
            ),
        ):
            with self.assertRaisesRegex(ServiceError, text):
                run_handler({"default_handler": default_handler}, Request(name="x"), **options)
