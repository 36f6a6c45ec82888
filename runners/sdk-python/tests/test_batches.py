from __future__ import annotations

import unittest
from types import SimpleNamespace
from typing import Any

from kre_runner import TerminalError
from kre_runner.handler_module import read_handler_module
from kre_runner.testing import run_handler
from kre_runner.worker_frame import Done, Failed, InitFailed, Log

from .fake_runner import FakeRunner
from .protos import pb

_LINEAR = """
from kre_runner import RetryableError
from public_input_pb2 import Request, Response

def handler(contexts, messages):
    names = [ctx.unpack(data, Request).name for ctx, data in zip(contexts, messages)]
    if "all" in names:
        raise ValueError("all fail")
    if "short" in names:
        return [None]
    if "nothing" in names:
        return None
    return [outcome(name, len(names)) for name in names]

def outcome(name, size):
    if name == "one":
        return ValueError("only this one")
    if name == "again":
        return RetryableError("later", retry_after_ms=5)
    return None if name == "none" else Response(greeting=f"{name} of {size}")
"""
_GRAPH = """
import asyncio
from public_input_pb2 import Request, Response

async def batch_handler(contexts, messages):
    names = [ctx.unpack(data, Request).name for ctx, data in zip(contexts, messages)]
    for ctx, name in zip(contexts, names):
        ctx.logger.info(name)
        if name == "error":
            await ctx.send_error("not this one")
        elif name == "wait":
            await asyncio.sleep(60)
        else:
            await ctx.send_output(Response(greeting=f"{name} {ctx.request_id} {ctx.cancelled}"))
"""


class Batches(unittest.TestCase):
    def open(self, handler: str, **init: Any) -> FakeRunner:
        runner = FakeRunner(handler, **{"batched": True, "is_exitpoint": True, **init})
        self.addCleanup(runner.__exit__)
        runner.start()
        return runner

    def send(self, runner: FakeRunner, *names: str) -> list[int]:
        return [
            runner.handle(pb.Request(name=name), batch=len(names) - index, request_id=f"r-{index}")
            for index, name in enumerate(names)
        ]

    def ends(self, runner: FakeRunner, *names: str) -> list[str]:
        """Of each message, its answer or why it failed."""
        texts = []
        for call_id in self.send(runner, *names):
            outputs, end = runner.outcome(call_id)
            if isinstance(end, Failed):
                texts.append(f"failed: {end.text}")
            else:
                texts += [
                    output.error or pb.Response.FromString(bytes(output.value)).greeting
                    for output in outputs
                ]
        return texts

    def test_a_linear_handler_returns_a_list_of_outputs_and_failures(self) -> None:
        runner = self.open(_LINEAR)
        self.assertEqual(self.ends(runner, "a", "b", "c"), ["a of 3", "b of 3", "c of 3"])
        self.assertEqual(self.ends(runner, "a", "one"), ["a of 2", "failed: only this one"])
        self.assertEqual(self.ends(runner, "a"), ["a of 1"])

    def test_what_the_handler_raises_fails_all(self) -> None:
        runner = self.open(_LINEAR)
        self.assertEqual(self.ends(runner, "a", "all"), ["failed: all fail"] * 2)

    def test_a_retryable_failure_is_that_of_its_message(self) -> None:
        runner = self.open(_LINEAR)
        again, fine = self.send(runner, "again", "fine")
        _, end = runner.outcome(again)
        assert isinstance(end, Failed)
        self.assertEqual((end.retryable, end.retry_after_ms), (True, 5))
        self.assertIsInstance(runner.outcome(fine)[1], Done)

    def test_a_list_of_another_length_fails_all_with_both_lengths(self) -> None:
        runner = self.open(_LINEAR)
        text = (
            "failed: the batch handler returned 1 results for 2 messages: "
            "return a list with one output per message, or nothing"
        )
        self.assertEqual(self.ends(runner, "a", "short"), [text, text])

    def test_a_message_without_an_output_is_told_at_the_exitpoint(self) -> None:
        runner = self.open(_LINEAR)
        first, second = self.ends(runner, "a", "none")
        self.assertEqual(first, "a of 2")
        self.assertRegex(second, "^failed: the handler returned nothing, so the caller would wait")
        self.assertRegex(self.ends(runner, "nothing")[0], "^failed: the handler returned nothing")

    def test_a_batch_handler_sends_by_its_contexts(self) -> None:
        runner = self.open(_GRAPH)
        ends = self.ends(runner, "a", "error", "c")
        self.assertEqual(ends, ["a r-0 False", "not this one", "c r-2 False"])

    def test_log_lines_of_a_context_carry_its_call(self) -> None:
        runner = self.open(_GRAPH)
        calls = self.send(runner, "a", "b")
        for call_id in calls:
            runner.outcome(call_id)
        lines = [(f.call_id, f.text) for f in runner.frames if isinstance(f, Log)]
        self.assertEqual(lines, [(calls[0], "a"), (calls[1], "b")])

    def test_a_message_that_is_cancelled_leaves_the_others_alone(self) -> None:
        runner = self.open(_GRAPH)
        first, second = self.send(runner, "wait", "b")
        runner.take(Log, call_id=first)
        runner.cancel(second)
        runner.cancel(first)
        texts = [getattr(runner.outcome(call_id)[1], "text", "") for call_id in (first, second)]
        self.assertEqual(len({*texts}), 1)
        self.assertIn("was cancelled", texts[0])

    def test_a_file_without_a_handler_of_lists_is_refused_when_the_manifest_sets_batch(
        self,
    ) -> None:
        runner = FakeRunner("def default_handler(ctx, data): pass", batched=True)
        self.addCleanup(runner.__exit__)
        failed = runner.take(InitFailed)
        self.assertIn("define batch_handler(contexts, messages), or remove batch", failed.text)

    def test_a_batch_handler_alone_gets_lists_of_one_without_a_batch_in_the_manifest(self) -> None:
        runner = self.open(_GRAPH, batched=False)
        (output,) = runner.run(pb.Request(name="a"))
        self.assertEqual(pb.Response.FromString(bytes(output.value)).greeting, "a r-1 False")

    def test_errors_go_to_the_error_handler_one_by_one(self) -> None:
        handlers = read_handler_module(
            {"batch_handler": lambda *_: None, "error_handler": lambda *_: None}, "", True
        )
        self.assertIsNone(handlers.batch_for(is_error=True))
        self.assertTrue(handlers.handles_errors)

    def test_run_handler_runs_it_with_one_message(self) -> None:
        def handler(contexts: Any, messages: Any) -> Any:
            name = contexts[0].unpack(messages[0], pb.Request).name
            return [TerminalError("no") if name == "bad" else pb.Response(greeting=name)]

        module = SimpleNamespace(handler=handler)
        result = run_handler(module, pb.Request(name="Ann"), is_batched=True)
        self.assertEqual(result.outputs[0].unpack(pb.Response()).greeting, "Ann")
        with self.assertRaisesRegex(TerminalError, "^no$"):
            run_handler(module, pb.Request(name="bad"), is_batched=True)
