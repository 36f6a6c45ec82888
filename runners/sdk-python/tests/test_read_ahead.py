"""What the worker does with messages beyond those whose handlers run."""

from __future__ import annotations

import struct
import tempfile
import unittest
from pathlib import Path
from typing import Any

from kre_runner.worker_frame import Call, CallResult, Done, Failed, Log, Output

from .fake_runner import FakeRunner
from .protos import pb

_SYNC = """
import asyncio, concurrent.futures, os, threading, time
from public_input_pb2 import Request, Response

def init(ctx):
    ctx.thread = threading.get_ident()

def default_handler(ctx, data):
    name = ctx.unpack(data, Request).name
    if name == "die":
        os._exit(9)
    if name == "slow":
        ctx.logger.info("slow")
        while ctx.configuration.get("gate") != "open":
            time.sleep(0.001)
    if name == "until cancelled":
        ctx.logger.info("waiting")
        while not ctx.cancelled:
            pass
    if name == "lines":
        for n in range(100):
            ctx.logger.info("line %d", n)
        time.sleep(60)
    if name == "own loop":
        name = asyncio.run(ask(ctx))
    if name == "threads":
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            name = "".join(pool.map(lambda key: ctx.configuration.get(key), "abcd"))
    if name == "coroutine":
        return later(ctx)
    ctx.send_output(Response(greeting=f"{name} {threading.get_ident() == ctx.thread}"))

async def ask(ctx):
    return await ctx.configuration.get("a") + await ctx.configuration.get("b")

async def later(ctx):
    await asyncio.sleep(0)
    value = await ctx.configuration.get("later")
    await ctx.send_output(Response(greeting=value))
"""
_ASYNC = _SYNC.replace("def default_handler", "async def default_handler").replace(
    'ctx.configuration.get("gate")', 'await ctx.configuration.get("gate")'
)


class _Opened(unittest.TestCase):
    def open(self, handler: str = _SYNC, **init: Any) -> FakeRunner:
        folder = tempfile.TemporaryDirectory(prefix="kre-")
        self.addCleanup(folder.cleanup)
        self.running = Path(folder.name, "running")
        self.running.write_bytes(bytes(4 * init.get("concurrency", 1)))
        runner = FakeRunner(handler, running_file=str(self.running), **init)
        self.addCleanup(runner.__exit__)
        runner.start()
        return runner

    def running_ids(self) -> list[int]:
        data = self.running.read_bytes()
        return [id for (id,) in struct.iter_unpack("I", data) if id != 0]

    def hold(self, runner: FakeRunner) -> tuple[int, Call]:
        """A call that runs until ``release``."""
        call_id = runner.handle(pb.Request(name="slow"))
        return call_id, runner.take(Call, call_id=call_id)

    def release(self, runner: FakeRunner, call: Call) -> None:
        runner.send(CallResult(call.id, result='"open"'))

    def greeting(self, output: Output) -> str:
        return str(pb.Response.FromString(bytes(output.value)).greeting)


class ReadAhead(_Opened):
    def test_says_that_it_reads_ahead(self) -> None:
        self.assertTrue(self.open().hello.reads_ahead)

    def test_messages_are_handled_in_their_order_and_one_at_a_time(self) -> None:
        for handler in (_SYNC, _ASYNC):
            with self.subTest("async" if handler is _ASYNC else "sync"):
                runner = self.open(handler)
                held, gate = self.hold(runner)
                calls = [runner.handle(pb.Request(name=str(n))) for n in range(20)]
                self.assertEqual(self.running_ids(), [held])
                self.release(runner, gate)
                ends = [runner.take(Done).call_id for _ in range(21)]
                self.assertEqual(ends, [held, *calls])
                self.assertEqual(self.running_ids(), [])

    def test_the_call_that_killed_the_worker_is_noted_and_no_other(self) -> None:
        for handler in (_SYNC, _ASYNC):
            with self.subTest("async" if handler is _ASYNC else "sync"):
                runner = self.open(handler)
                held, gate = self.hold(runner)
                culprit = runner.handle(pb.Request(name="die"))
                runner.handle(pb.Request(name="after"))
                self.release(runner, gate)
                self.assertEqual(runner.process.wait(10), 9)
                self.assertEqual(self.running_ids(), [culprit])

    def test_with_concurrency_as_many_run_at_once(self) -> None:
        for handler in (_SYNC, _ASYNC):
            with self.subTest("async" if handler is _ASYNC else "sync"):
                runner = self.open(handler, concurrency=2)
                (first, gate), (second, _) = self.hold(runner), self.hold(runner)
                third = runner.handle(pb.Request(name="third"))
                self.assertEqual(sorted(self.running_ids()), [first, second])
                self.release(runner, gate)
                runner.take(Done, call_id=third)
                self.assertEqual(self.running_ids(), [second])

    def test_what_is_cancelled_before_its_turn_never_runs(self) -> None:
        runner = self.open()
        held, gate = self.hold(runner)
        cancelled, fine = (runner.handle(pb.Request(name=name)) for name in ("die", "fine"))
        runner.cancel(cancelled)
        self.release(runner, gate)
        self.assertIsInstance(runner.outcome(held)[1], Done)
        end = runner.outcome(cancelled)[1]
        assert isinstance(end, Failed)
        self.assertIn("was cancelled", end.text)
        self.assertIsInstance(runner.outcome(fine)[1], Done)

    def test_a_drain_lets_what_was_read_ahead_run(self) -> None:
        for handler in (_SYNC, _ASYNC):
            with self.subTest("async" if handler is _ASYNC else "sync"):
                runner = self.open(handler)
                _, gate = self.hold(runner)
                last = runner.handle(pb.Request(name="last"))
                self.release(runner, gate)
                self.assertEqual(runner.drain(), 0)
                self.assertIsInstance(runner.outcome(last)[1], Done)

    def test_the_end_says_how_long_the_handler_took(self) -> None:
        runner = self.open()
        end = runner.outcome(runner.handle(pb.Request(name="a")))[1]
        self.assertGreater(end.elapsed_us, 0)

    def test_lines_leave_while_the_handler_runs(self) -> None:
        for handler in (_SYNC, _ASYNC):
            with self.subTest("async" if handler is _ASYNC else "sync"):
                runner = self.open(handler)
                runner.handle(pb.Request(name="lines"))
                texts = [runner.take(Log).text for _ in range(100)]
                self.assertEqual(texts, [f"line {n}" for n in range(100)])


class SyncHandlers(_Opened):
    """With one at a time, they run in the thread that reads the frames, which takes care of all the rest."""

    def test_run_in_the_thread_of_init_and_see_a_cancellation(self) -> None:
        runner = self.open()
        call_id = runner.handle(pb.Request(name="until cancelled"))
        runner.take(Log)
        runner.cancel(call_id)
        outputs, _ = runner.outcome(call_id)
        self.assertEqual(self.greeting(outputs[0]), "until cancelled True")

    def test_call_services_from_their_own_loops_and_threads_and_coroutines(self) -> None:
        runner = self.open()
        runner.services["configuration.get"] = lambda arguments, _: arguments["key"]
        for name, expected in (
            ("own loop", "ab True"),
            ("threads", "abcd True"),
            ("coroutine", "later"),
            ("plain", "plain True"),
        ):
            with self.subTest(name):
                (output,) = runner.run(pb.Request(name=name))
                self.assertEqual(self.greeting(output), expected)

    def test_messages_that_come_during_a_service_wait_for_their_turn(self) -> None:
        runner = self.open()
        held, gate = self.hold(runner)
        early = runner.handle(pb.Request(name="early"))
        self.release(runner, gate)
        self.assertEqual([runner.take(Done).call_id for _ in range(2)], [held, early])

    def test_end_when_the_runner_is_gone(self) -> None:
        runner = self.open()
        self.hold(runner)
        runner.hang_up()
        self.assertIn(runner.process.wait(10), (0, 70))

    def test_are_served_by_a_loop_when_init_left_a_task_behind(self) -> None:
        handler = """
        import asyncio, threading
        from public_input_pb2 import Response
        def init(ctx):
            return start(ctx)
        async def start(ctx):
            ctx.ticks = []
            ctx.task = asyncio.create_task(tick(ctx.ticks))
        async def tick(ticks):
            while True:
                ticks.append(1)
                await asyncio.sleep(0.001)
        def default_handler(ctx, data):
            before = len(ctx.ticks)
            while len(ctx.ticks) <= before:
                pass
            ctx.send_output(Response(greeting="ticked"))
        """
        runner = self.open(handler)
        (output,) = runner.run(pb.Request(name="a"))
        self.assertEqual(self.greeting(output), "ticked")
