from __future__ import annotations

import json
import unittest
from typing import Any

from kre_runner.worker_frame import Call, Done, InitDone, Output

from .fake_runner import FakeRunner
from .protos import pb

_HANDLER = """
import asyncio
from public_input_pb2 import Response

async def _say(ctx, *parts):
    await ctx.send_output(Response(greeting=" ".join(str(part) for part in parts)))

async def default_handler(ctx, data):
    store = ctx.object_store
    await store.save("empty", b"")
    await store.save("array", memoryview(bytearray(b"abc")))
    await _say(ctx, await store.get("empty"), await store.get("array"), await store.list("^a"),
               await store.purge(prefix="e"), await store.delete("array"))

async def configuration(ctx, data):
    await ctx.configuration.set("a", "1")
    await ctx.configuration.delete("a", "project")
    value = await ctx.configuration.get("a")
    scoped = await ctx.configuration.get("a", scope="workflow")
    try:
        await ctx.configuration.get("missing")
    except Exception as error:
        await _say(ctx, value, scoped, error)

async def together(ctx, data):
    task = asyncio.create_task(ctx.db.find("c", {"a": 1}))
    both = await asyncio.gather(ctx.db.find("c", {"a": 2}), asyncio.wait_for(ctx.db.find("c", {"a": 3}), 10))
    await _say(ctx, await task, *both)

async def left(ctx, data):
    ctx.db.save("refused", {})

async def slow(ctx, data):
    await ctx.db.save("slow", {})

def blocking(ctx, data):
    ctx.configuration.set("a", "thread")
    ctx.send_output(Response(greeting=ctx.configuration.get("a")))

def own_loop(ctx, data):
    async def main():
        return await ctx.configuration.get("a")
    ctx.send_output(Response(greeting=asyncio.run(main())))

async def refused(ctx, data):
    attempts = [
        lambda: ctx.db.save("", {}), lambda: ctx.db.find("c", {}), lambda: ctx.db.save("c", {"a": float("nan")}),
        lambda: ctx.db.save("c", {"a": object()}), lambda: ctx.object_store.save("k", "text"),
        lambda: ctx.configuration.set("a", 1), lambda: ctx.configuration.get("a", "nowhere"),
        lambda: ctx.measurement.save("m", {"a": 1}, {}, precision="h"), lambda: ctx.path("../outside"),
    ]
    for attempt in attempts:
        try:
            attempt()
        except Exception as error:
            ctx.logger.info(f"{type(error).__name__}: {error}")

async def measure(ctx, data):
    from datetime import datetime, timezone
    moment = datetime(2024, 1, 31, 12, 0, 0, 123456)
    ctx.measurement.save("m", {"a": 1}, {"t": 2}, moment)
    ctx.measurement.save("m", {"a": 1.5}, {}, moment.replace(tzinfo=timezone.utc), precision=ctx.measurement.PRECISION_S)
    ctx.measurement.save("m", {"a": True}, time=1700000000, precision="s")

custom_handlers = {
    "configuration": configuration, "together": together, "left": left, "slow": slow, "blocking": blocking,
    "own_loop": own_loop, "refused": refused, "measure": measure,
}
"""


def _raise(text: str) -> None:
    raise ValueError(text)


class Services(unittest.TestCase):
    runner: FakeRunner
    objects: dict[str, bytes]
    values: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.runner = runner = FakeRunner(_HANDLER, concurrency=2)
        cls.addClassCleanup(runner.__exit__)
        cls.objects, cls.values = {}, {}
        runner.services = {
            "object_store.save": lambda a, data: cls.objects.__setitem__(a["key"], data),
            "object_store.get": lambda a, _: cls.objects[a["key"]],
            "object_store.list": lambda a, _: [a["pattern"]],
            "object_store.purge": lambda a, _: len(a["prefix"]),
            "object_store.delete": lambda a, _: None,
            "configuration.set": lambda a, _: cls.values.__setitem__(
                a["key"], a["value"] + a["scope"]
            ),
            "configuration.get": lambda a, _: (
                cls.values[a["key"]] + str(a.get("scope"))
                if a["key"] in cls.values
                else _raise("No value found")
            ),
            "configuration.delete": lambda a, _: None,
            "db.find": lambda a, _: [a["query"]],
            "db.save": lambda a, _: _raise("refused by the store"),
            "measurement.save": lambda a, _: None,
        }
        runner.start()

    def setUp(self) -> None:
        self.runner.frames.clear()

    def greeting(self, from_node: str) -> str:
        (output,) = self.runner.run(from_node=from_node)
        return pb.Response.FromString(bytes(output.value)).greeting

    def test_the_object_store_takes_bytes_of_any_kind_and_none_at_all(self) -> None:
        self.assertEqual(self.greeting("entrypoint"), "b'' b'abc' ['^a'] 1 None")

    def test_configuration_says_its_scopes_and_what_it_did_not_find(self) -> None:
        self.assertEqual(self.greeting("configuration"), "1nodeNone 1nodeworkflow No value found")
        arguments = [json.loads(call.arguments) for call in self.runner.calls()]
        self.assertEqual(arguments[0], {"key": "a", "value": "1", "scope": "node"})
        self.assertEqual(arguments[1], {"key": "a", "scope": "project"})
        self.assertEqual(arguments[2], {"key": "a"})

    def test_calls_may_be_tasks_and_gathered(self) -> None:
        self.assertEqual(self.greeting("together"), "[{'a': 1}] [{'a': 2}] [{'a': 3}]")

    def test_calls_belong_to_their_call(self) -> None:
        call_id = self.runner.handle(from_node="together")
        self.runner.outcome(call_id)
        self.assertEqual({call.call_id for call in self.runner.calls()}, {call_id})

    def test_a_call_that_nobody_awaited_is_made_and_its_failure_logged(self) -> None:
        self.assertEqual(self.runner.run(from_node="left"), [])
        while not self.runner.logs():
            self.runner.receive()
        self.assertEqual(
            self.runner.logs(),
            [("ERROR", "db.save failed, and nothing awaited it: refused by the store")],
        )

    def test_a_refused_call_fails_its_handler(self) -> None:
        self.assertEqual(self.runner.fail(from_node="slow").text, "refused by the store")

    def test_sync_handlers_wait_without_await(self) -> None:
        self.assertEqual(self.greeting("blocking"), "threadnodeNone")

    def test_a_sync_handler_may_run_a_loop_of_its_own(self) -> None:
        self.values["a"] = "x"
        self.assertEqual(self.greeting("own_loop"), "xNone")

    def test_what_can_not_be_sent_is_refused_in_the_users_words(self) -> None:
        self.assertEqual(self.runner.run(from_node="refused"), [])
        texts = [text for _, text in self.runner.logs()]
        for text, expected in zip(
            texts,
            (
                "[ctx.db.save] invalid 'collection'=''",
                "[ctx.db.find] invalid 'query'='{}', must be a nonempty dict",
                "[ctx.db.save] this can't be written as JSON",
                "a object is no JSON value",
                "the payload is bytes; this is a str",
                "a value is a string; this is a int",
                "there is no scope 'nowhere'",
                "there is no precision 'h'",
                'path "../outside" leaves the bundle',
            ),
        ):
            with self.subTest(expected):
                self.assertIn(expected, text)
        self.assertEqual(len(texts), 9)
        self.assertEqual(self.runner.calls(), [])

    def test_measurements_carry_nanoseconds_of_their_precision(self) -> None:
        self.assertEqual(self.runner.run(from_node="measure"), [])
        sent = [json.loads(call.arguments) for call in self.runner.calls()]
        self.assertEqual(
            sent,
            [
                {
                    "measurement": "m",
                    "fields": {"a": 1},
                    "tags": {"t": "2"},
                    "timeNs": "1706702400123456000",
                },
                {
                    "measurement": "m",
                    "fields": {"a": 1.5},
                    "tags": {},
                    "timeNs": "1706702400000000000",
                },
                {
                    "measurement": "m",
                    "fields": {"a": True},
                    "tags": {},
                    "timeNs": "1700000000000000000",
                },
            ],
        )


class InInit(unittest.TestCase):
    def _value(self, init: str, handler: str = "async def default_handler(ctx, data):") -> str:
        text = f"from public_input_pb2 import Response\n{init}\n{handler}\n    ctx.send_output(Response(greeting=ctx.v))\n"
        with FakeRunner(text) as runner:
            runner.services["configuration.get"] = lambda arguments, _: "from " + arguments["key"]
            runner.start()
            self.assertEqual([call.call_id for call in runner.calls()], [0])
            (output,) = runner.run()
            return pb.Response.FromString(bytes(output.value)).greeting

    def test_an_async_init_awaits_services(self) -> None:
        value = self._value("async def init(ctx):\n    ctx.v = await ctx.configuration.get('a')")
        self.assertEqual(value, "from a")

    def test_a_sync_init_waits_for_them_in_the_main_thread_beside_async_handlers(self) -> None:
        value = self._value(
            "import threading\ndef init(ctx):\n"
            "    assert threading.current_thread() is threading.main_thread()\n"
            "    ctx.v = ctx.configuration.get('b')"
        )
        self.assertEqual(value, "from b")

    def test_a_sync_init_shares_its_thread_with_sync_handlers(self) -> None:
        value = self._value(
            "import threading\ndef init(ctx):\n"
            "    ctx.thread = threading.get_ident()\n"
            "    ctx.v = ctx.configuration.get('c')",
            "import threading\ndef default_handler(ctx, data):\n    assert ctx.thread == threading.get_ident()",
        )
        self.assertEqual(value, "from c")

    def test_sending_is_refused(self) -> None:
        text = """
        def init(ctx):
            try:
                ctx.send_output({})
            except Exception as error:
                ctx.logger.info(str(error))
        async def default_handler(ctx, data): ...
        """
        with FakeRunner(text) as runner:
            runner.start()
            self.assertIn("nothing can be sent outside a handler", runner.logs()[0][1])


class ObjectStoreOfAnotherNode(unittest.TestCase):
    def test_is_false_and_says_what_to_declare(self) -> None:
        text = """
        async def default_handler(ctx, data):
            assert not ctx.object_store
            await ctx.object_store.get("a")
        """
        with FakeRunner(text, object_store=False) as runner:
            runner.start()
            self.assertEqual(
                runner.fail().text,
                "node 'ETL' has no object store: declare objectStore in its entry of the manifest",
            )


class LargePayloads(unittest.TestCase):
    def test_twenty_mebibytes_go_and_come(self) -> None:
        text = """
        async def default_handler(ctx, data):
            assert len(ctx.payload) > 20 * 1024 * 1024 and ctx.payload.readonly
            await ctx.object_store.save("k", data.value)
            await ctx.send_any(data)
            assert await ctx.object_store.get("k") == data.value
        """
        with FakeRunner(text) as runner:
            kept: dict[str, bytes] = {}
            runner.services = {
                "object_store.save": lambda a, data: kept.__setitem__(a["key"], data),
                "object_store.get": lambda a, _: kept[a["key"]],
            }
            runner.start()
            message = pb.Rich(image=bytes(range(256)) * 4096 * 20)
            (output,) = runner.run(message)
            self.assertEqual(bytes(output.value), message.SerializeToString())
            self.assertEqual(kept["k"], message.SerializeToString())

    def test_an_output_above_the_frames_limit_fails_with_size_and_limit(self) -> None:
        text = """
        from google.protobuf.any_pb2 import Any
        async def default_handler(ctx, data):
            await ctx.send_any(Any(type_url="a/b", value=bytes(80 * 1024 * 1024)))
        """
        with FakeRunner(text) as runner:
            runner.start()
            self.assertRegex(
                runner.fail().text,
                r"a message of 838\d+ bytes can't be sent: at most 83886080 bytes",
            )

    def test_many_outputs_wait_for_the_runner(self) -> None:
        for function in ("async def", "def"):
            text = f"""
            from google.protobuf.any_pb2 import Any
            {function} default_handler(ctx, data):
                for _ in range(40):
                    {"await " if function == "async def" else ""}ctx.send_any(Any(type_url="a/b", value=bytes(262144)))
            """
            with self.subTest(function), FakeRunner(text) as runner:
                runner.start()
                outputs = runner.run()
                self.assertEqual(sum(len(output.value) for output in outputs), 40 * 262144)


class Order(unittest.TestCase):
    def test_of_a_handlers_frames_is_that_of_its_calls(self) -> None:
        text = """
        async def default_handler(ctx, data):
            for i in range(3):
                ctx.send_output({"i": i})
                ctx.measurement.save("m", {"i": i})
        """
        with FakeRunner(text) as runner:
            self.assertIsInstance(runner.start(), InitDone)
            runner.handle()
            while not any(isinstance(frame, Done) for frame in runner.frames):
                runner.receive()
            kinds: list[Any] = [type(frame) for frame in runner.frames]
            self.assertEqual(kinds, [Output, Call] * 3 + [Done])
            self.assertIsInstance(runner.frames[-1], Done)
