from __future__ import annotations

import os
import unittest

from kre_runner.worker_frame import Call, CallResult, Drain, InitFailed, Log

from .fake_runner import FakeRunner
from .protos import pb

_HANDLER = """
import asyncio, logging, os, sys, threading, time
from public_input_pb2 import Response

def init(ctx):
    ctx.kept = ctx.logger

async def wait(ctx, data):
    ctx.logger.info("waiting")
    try:
        await asyncio.sleep(100)
    except asyncio.CancelledError:
        ctx.logger.info(f"cancelled {ctx.cancelled}")
        raise

def wait_in_thread(ctx, data):
    ctx.logger.info("waiting")
    while not ctx.cancelled:
        time.sleep(0.001)
    ctx.logger.info("cancelled")

def stuck_service(ctx, data):
    ctx.logger.info("waiting")
    ctx.db.save("never", {})

async def gate(ctx, data):
    ctx.logger.info("waiting")
    await ctx.configuration.get("gate")
    await ctx.send_output(Response(greeting="through"))

def endless(ctx, data):
    ctx.logger.info("waiting")
    while True:
        pass

async def endless_in_loop(ctx, data):
    endless(ctx, data)

async def prints(ctx, data):
    print("printed")
    logging.getLogger("mine").warning("by logging")

async def logs(ctx, data):
    ctx.kept.debug("d %s", 1)
    ctx.logger.warning("w")
    try:
        1 / 0
    except ZeroDivisionError:
        ctx.logger.exception("e")
    ctx.logger.critical("c")
    await asyncio.create_task(later(ctx.kept))

async def later(logger):
    logger.info("in a task")

async def surroundings(ctx, data):
    import helper, rootmod
    where = f"{os.getcwd() == ctx.path('.')} {helper.NAME} {rootmod.NAME} {ctx.config('LIMIT')} {ctx.config('NONE')}"
    await ctx.send_output(Response(greeting=f"{where} {sys.modules['queue'].__file__.startswith(os.getcwd())}"))

custom_handlers = {name: value for name, value in globals().items() if name in (
    "wait", "wait_in_thread", "stuck_service", "gate", "endless", "endless_in_loop", "prints", "logs", "surroundings")}
"""
_FILES = {
    "src/node/helper.py": "NAME = 'helper'",
    "rootmod.py": "NAME = 'root'",
    "queue.py": "raise RuntimeError('the bundle took the place of the standard library')",
    "src/node/logging.py": "raise RuntimeError('the bundle took the place of the standard library')",
}


class LifeCycle(unittest.TestCase):
    def open(self, forked: bool = True, **init: object) -> FakeRunner:
        runner = FakeRunner(_HANDLER, _FILES, config={"LIMIT": "5"}, forked=forked, **init)
        self.addCleanup(runner.__exit__)
        runner.start()
        return runner

    def begin(self, runner: FakeRunner, from_node: str) -> int:
        call_id = runner.handle(from_node=from_node)
        runner.take(Log, call_id=call_id)
        return call_id

    def test_says_hello_with_protocol_and_language(self) -> None:
        runner = self.open(forked=False)
        self.assertEqual(runner.hello.protocol, 1)
        self.assertRegex(runner.hello.language, r"^python 3\.\d+\.\d+")

    def test_cancel_reaches_async_handlers_threads_and_waiting_services(self) -> None:
        runner = self.open(concurrency=3)
        calls = [self.begin(runner, name) for name in ("wait", "wait_in_thread", "stuck_service")]
        for call_id in calls:
            runner.cancel(call_id)
        ends = [runner.outcome(call_id)[1] for call_id in calls]
        text = "the call was cancelled: nobody waits for its result any more"
        self.assertEqual([getattr(end, "text", "done") for end in ends], [text, "done", text])
        said = [text for level, text in sorted(runner.logs()) if level == "INFO"]
        self.assertEqual(said, ["cancelled", "cancelled True"])

    def test_cancel_of_an_unknown_call_is_ignored(self) -> None:
        runner = self.open()
        runner.cancel(99)
        self.assertEqual(runner.drain(), 0)

    def test_drain_waits_for_what_is_in_hand(self) -> None:
        runner = self.open(concurrency=2)
        call_id = self.begin(runner, "gate")
        gate = runner.take(Call)
        runner.send(Drain())
        runner.send(CallResult(gate.id, result='""'))
        outputs, _ = runner.outcome(call_id)
        code = runner.process.wait(10)
        self.assertEqual((code, len(outputs)), (0, 1))

    def test_an_idle_worker_ends_when_it_is_drained(self) -> None:
        self.assertEqual(self.open().drain(), 0)

    def test_ends_when_the_runner_is_gone_even_inside_an_endless_loop(self) -> None:
        for from_node in ("wait", "endless", "endless_in_loop"):
            with self.subTest(from_node):
                runner = self.open()
                self.begin(runner, from_node)
                runner.hang_up()
                self.assertIn(runner.process.wait(10), (0, 70))

    def test_survives_an_interrupt(self) -> None:
        runner = self.open(forked=False)
        os.kill(runner.process.pid, 2)
        self.assertEqual(runner.drain(), 0)

    def test_what_user_code_prints_and_logs_by_itself_goes_to_the_standard_streams(self) -> None:
        runner = self.open(forked=False)
        self.assertEqual(runner.run(from_node="prints"), [])
        self.assertEqual(runner.stdout_line(), "printed")
        self.assertRegex(
            runner.stderr_line(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ WARNING by logging$"
        )

    def test_log_lines_carry_level_and_call_also_from_a_kept_logger_and_a_task(self) -> None:
        runner = self.open()
        call_id = runner.handle(from_node="logs")
        runner.outcome(call_id)
        lines = [
            (frame.level, frame.text)
            for frame in runner.frames
            if isinstance(frame, Log) and frame.call_id == call_id
        ]
        self.assertEqual([level for level, _ in lines], ["DEBUG", "WARN", "ERROR", "ERROR", "INFO"])
        self.assertEqual([text for _, text in lines][:2], ["d 1", "w"])
        self.assertRegex(lines[2][1], r"(?s)^e\nTraceback.*ZeroDivisionError: division by zero$")

    def test_finds_the_bundles_modules_behind_the_standard_library(self) -> None:
        runner = self.open(forked=False)
        (output,) = runner.run(from_node="surroundings")
        self.assertEqual(
            pb.Response.FromString(bytes(output.value)).greeting, "True helper root 5 None False"
        )

    def test_a_folder_named_like_one_of_its_own_takes_no_place(self) -> None:
        trap = "raise RuntimeError('the bundle took the place of the worker')"
        handler = """
        from google.protobuf import json_format
        from google.mine import NAME
        from kre_runner import TerminalError
        from kre.helper import NAME as kre_name
        from tests.helper import NAME as tests_name
        from public_input_pb2 import Response

        async def default_handler(ctx, data):
            await ctx.send_output(Response(greeting=f"{NAME} {kre_name} {tests_name}"))
        """
        files = {
            "kre_runner/__init__.py": trap,
            "kre_runner/worker.py": trap,
            "runpy.py": trap,
            "sitecustomize.py": trap,
            "google/mine.py": "NAME = 'google'",
            "kre/helper.py": "NAME = 'kre'",
            "tests/__init__.py": "",
            "tests/helper.py": "NAME = 'tests'",
        }
        runner = FakeRunner(handler, files, forked=False)
        self.addCleanup(runner.__exit__)
        runner.start()
        (output,) = runner.run()
        greeting = pb.Response.FromString(bytes(output.value)).greeting
        self.assertEqual(greeting, "google kre tests")
        warnings = [text for _, text in runner.logs()]
        self.assertEqual(len(warnings), 2)
        self.assertIn("kre_runner can't be imported", warnings[0])
        self.assertIn("runpy.py can't be imported", warnings[1])

    def test_a_google_package_of_the_bundle_leaves_protobuf_alone(self) -> None:
        handler = """
        from google.protobuf import json_format
        from public_input_pb2 import Response
        async def default_handler(ctx, data):
            await ctx.send_output(Response(greeting="fine"))
        """
        files = {"google/__init__.py": "", "google/protobuf/__init__.py": ""}
        runner = FakeRunner(handler, files, forked=False)
        self.addCleanup(runner.__exit__)
        runner.start()
        self.assertEqual(len(runner.run()), 1)

    def test_a_python_without_protobuf_is_told_to_the_author(self) -> None:
        files = {"sitecustomize.py": "import sys; sys.modules['google.protobuf'] = None"}
        runner = FakeRunner(_HANDLER, forked=False, generated_files=files)
        self.addCleanup(runner.__exit__)
        failed = runner.take(InitFailed)
        self.assertIn("the worker needs the package protobuf", failed.text)
        self.assertEqual(runner.process.wait(10), 78)

    def test_ends_with_a_message_when_the_runner_sends_no_frames(self) -> None:
        runner = self.open()
        runner._socket.sendall(b"\xff\xff\xff\xff")
        self.assertEqual(runner.process.wait(10), 76)
        self.assertIn("announces 4294967295 bytes", runner.stderr_line())
