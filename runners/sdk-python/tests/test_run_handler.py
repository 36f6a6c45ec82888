from __future__ import annotations

import asyncio
import unittest
from types import SimpleNamespace
from typing import Any

from kre_runner import PayloadError, RetryableError, ServiceError, TerminalError, call_port
from kre_runner.testing import run_handler

from .protos import DESCRIPTOR_SET, pb


class RunHandler(unittest.TestCase):
    def test_gives_outputs_logs_and_writes(self) -> None:
        async def init(ctx: Any) -> None:
            ctx.greeting = ctx.config("GREETING")

        async def default_handler(ctx: Any, data: Any) -> None:
            request = ctx.unpack(data, pb.Request)
            ctx.logger.warning("greeting %s", request.name)
            await ctx.db.save("people", {"name": request.name})
            found = await ctx.db.find("people", {"name": request.name})
            await ctx.send_output(pb.Response(greeting=f"{ctx.greeting} {len(found)}"), "odd")

        module = SimpleNamespace(init=init, default_handler=default_handler)
        result = run_handler(
            module,
            pb.Request(name="Ann"),
            config={"GREETING": "Hi"},
            db={"people": [{"name": "Ann"}]},
        )
        self.assertEqual(result.outputs[0].unpack(pb.Response()).greeting, "Hi 2")
        self.assertEqual(result.outputs[0].channel, "odd")
        self.assertEqual(result.logs, [("WARN", "greeting Ann")])
        self.assertEqual(
            [(use.service, use.method) for use in result.writes], [("db", "save"), ("db", "find")]
        )

    def test_runs_sync_linear_handlers_with_dicts(self) -> None:
        def handler(ctx: Any, data: Any) -> Any:
            ctx.object_store.save("k", b"")
            assert ctx.object_store.get("k") == b"" and ctx.object_store.list() == ["a", "k"]
            assert ctx.object_store.purge(prefix="a") == 1
            assert ctx.configuration.get("limit") == "5"
            return {"greeting": data["name"]}

        result = run_handler(
            {"handler": handler},
            {"name": "Ann"},
            stores={"objects": {"a": b"1"}, "configuration": {"limit": "5"}},
            is_exitpoint=True,
            response_type="demo.Response",
            descriptor_set=DESCRIPTOR_SET,
        )
        self.assertEqual(result.outputs[0].unpack(pb.Response()).greeting, "Ann")

    def test_raises_what_the_handler_raises(self) -> None:
        async def retry(ctx: Any, data: Any) -> None:
            raise RetryableError("later", 5)

        async def missing(ctx: Any, data: Any) -> None:
            await ctx.configuration.get("nothing")

        async def wrong(ctx: Any, data: Any) -> None:
            data.Unpack(pb.Other())

        for handler, error in (
            (retry, RetryableError),
            (missing, ServiceError),
            (wrong, PayloadError),
        ):
            with self.subTest(handler.__name__), self.assertRaises(error):
                run_handler({"default_handler": handler}, pb.Request())
        with self.assertRaises(TerminalError):
            run_handler({}, pb.Request())

    def test_gives_errors_to_the_error_handler(self) -> None:
        async def error_handler(ctx: Any, data: Any) -> None:
            ctx.send_error(f"seen {ctx.get_error_message()}")

        result = run_handler(
            {"error_handler": error_handler}, message_type=call_port.ERROR, error="boom"
        )
        self.assertEqual([output.error for output in result.outputs], ["seen boom"])

    def test_works_inside_a_running_loop_and_may_be_awaited(self) -> None:
        async def default_handler(ctx: Any, data: Any) -> None:
            await ctx.send_any(data)

        async def test() -> None:
            result = await run_handler({"default_handler": default_handler}, pb.Request(name="a"))
            self.assertEqual(len(result.outputs), 1)

        asyncio.run(test())

    def test_leaves_protobuf_as_it_was(self) -> None:
        from google.protobuf.any_pb2 import Any as AnyMessage

        before = AnyMessage.Unpack
        run_handler({"handler": lambda ctx, data: None}, pb.Request())
        self.assertIs(AnyMessage.Unpack, before)
