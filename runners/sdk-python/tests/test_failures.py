from __future__ import annotations

import unittest
from typing import Any

from kre_runner import ServiceError
from kre_runner.worker_frame import Done, Failed, InitFailed

from .fake_runner import FakeRunner
from .protos import pb

_HANDLER = """
import asyncio, sys
from kre_runner import RetryableError, TerminalError

class Broken(Exception):
    def __str__(self):
        raise RuntimeError("no text")

async def inner():
    sys.exit("in a task")

ACTIONS = {
    "value": lambda: (_ for _ in ()).throw(ValueError("3 is not even")),
    "empty": lambda: (_ for _ in ()).throw(ValueError()),
    "key": lambda: {}["missing"],
    "exit": lambda: sys.exit(1),
    "interrupt": lambda: (_ for _ in ()).throw(KeyboardInterrupt()),
    "broken": lambda: (_ for _ in ()).throw(Broken()),
    "retry": lambda: (_ for _ in ()).throw(RetryableError("later", retry_after_ms=1500)),
    "retry plain": lambda: (_ for _ in ()).throw(RetryableError("again")),
    "terminal": lambda: (_ for _ in ()).throw(TerminalError("never")),
    "deep": lambda: recurse(),
    "long": lambda: (_ for _ in ()).throw(ValueError("x" * 1000000)),
    "stop": lambda: next(iter(())),
}

def recurse():
    recurse()

async def default_handler(ctx, data):
    if ctx.get_request_id() == "background":
        asyncio.ensure_future(inner())
        await asyncio.sleep(0.01)
        return
    if ctx.get_request_id() == "cancels":
        asyncio.current_task().cancel()
        await asyncio.sleep(10)
    ACTIONS[ctx.get_request_id()]()

def in_thread(ctx, data):
    ACTIONS[ctx.get_request_id()]()

custom_handlers = {"thread": in_thread}
"""

_TEXTS = {
    "value": "3 is not even",
    "empty": "ValueError",
    "key": "KeyError: 'missing'",
    "exit": "user code called sys.exit(1)",
    "interrupt": "KeyboardInterrupt",
    "broken": "Broken (its text can't be made: RuntimeError)",
    "retry": "later",
    "retry plain": "again",
    "terminal": "never",
    "deep": "maximum recursion depth exceeded",
    "long": "x" * 16384 + "… (983616 more characters)",
}


class Failures(unittest.TestCase):
    runner: FakeRunner

    @classmethod
    def setUpClass(cls) -> None:
        cls.runner = FakeRunner(_HANDLER)
        cls.addClassCleanup(cls.runner.__exit__)
        cls.runner.start()

    def test_fail_their_call_with_their_text_and_the_worker_goes_on(self) -> None:
        for from_node in ("entrypoint", "thread"):
            for request_id, text in _TEXTS.items():
                with self.subTest(request_id, from_node=from_node):
                    failed = self.runner.fail(request_id=request_id, from_node=from_node)
                    self.assertEqual(failed.text[: len(text)], text)

    def test_stop_iteration_is_a_failure_too(self) -> None:
        for from_node in ("entrypoint", "thread"):
            failed = self.runner.fail(request_id="stop", from_node=from_node)
            self.assertIn("StopIteration", failed.text)

    def test_the_stack_shows_the_users_lines_only(self) -> None:
        for from_node in ("entrypoint", "thread"):
            stack = self.runner.fail(request_id="value", from_node=from_node).stack
            self.assertIn("src/node/node.py", stack)
            self.assertTrue(stack.endswith("ValueError: 3 is not even\n"))
            self.assertNotIn("kre_runner/", stack)

    def test_say_whether_another_try_can_help(self) -> None:
        failed = self.runner.fail(request_id="retry")
        self.assertEqual((failed.retryable, failed.retry_after_ms), (True, 1500))
        failed = self.runner.fail(request_id="retry plain")
        self.assertEqual((failed.retryable, failed.retry_after_ms), (True, 0))
        self.assertFalse(self.runner.fail(request_id="terminal").retryable)

    def test_a_task_that_exits_does_not_end_the_worker(self) -> None:
        self.assertEqual(self.runner.run(request_id="background"), [])
        self.assertIn(
            ("ERROR", "user code called sys.exit(in a task) in a background task"),
            self.runner.logs(),
        )

    def test_a_handler_that_cancels_itself_fails(self) -> None:
        self.assertEqual(
            self.runner.fail(request_id="cancels").text, "the handler cancelled itself"
        )


class Statuses(unittest.TestCase):
    """A google.rpc.Code per failure, as node-runner/src/typescript/typescript-host.ts has it for its handlers."""

    _INVALID_ARGUMENT = 3
    _RESOURCE_EXHAUSTED = 8
    _INTERNAL = 13

    def test_tell_the_callers_fault_from_the_handlers(self) -> None:
        handler = """
        from google.protobuf.any_pb2 import Any
        from public_input_pb2 import Request
        from kre_runner.frame_decoder import FRAME_BYTES_MAX

        async def default_handler(ctx, data):
            if ctx.get_request_id() == "save":
                await ctx.db.save("runs", {"a": 1})
            if ctx.get_request_id() == "large":
                await ctx.send_any(Any(value=bytes(FRAME_BYTES_MAX + 1)))
            ctx.unpack(data, Request)
            raise ValueError("no more")
        """

        def refuse(text: str, status_code: int) -> None:
            def answer(_: dict[str, Any], __: bytes) -> None:
                raise ServiceError(text, status_code)

            runner.services["db.save"] = answer

        with FakeRunner(handler) as runner:
            runner.start()
            malformed: dict[str, Any] = {
                "type_url": "type.googleapis.com/demo.Request",
                "value": b"\x0a\x7f",
            }
            self.assertEqual(runner.fail(**malformed).status_code, self._INVALID_ARGUMENT)
            # An earlier node of the bundle made these bytes.
            self.assertEqual(runner.fail(**malformed, from_node="etl").status_code, self._INTERNAL)
            of_another_type = {**malformed, "type_url": "type.googleapis.com/demo.Response"}
            self.assertEqual(runner.fail(**of_another_type).status_code, self._INTERNAL)
            self.assertEqual(runner.fail(pb.Request(name="Ann")).status_code, self._INTERNAL)
            large = runner.fail(request_id="large")
            self.assertEqual(large.status_code, self._RESOURCE_EXHAUSTED)
            refuse("the document has 20 MiB; at most 16 MiB are stored", 8)
            too_large = runner.fail(request_id="save")
            self.assertEqual(too_large.status_code, self._RESOURCE_EXHAUSTED)
            refuse("the collection is closed", 9)
            self.assertEqual(runner.fail(request_id="save").status_code, self._INTERNAL)


class Isolation(unittest.TestCase):
    def test_of_200_concurrent_calls_exactly_the_failing_ones_fail(self) -> None:
        handler = """
        import asyncio
        from public_input_pb2 import Request, Response
        async def default_handler(ctx, data):
            req = Request()
            data.Unpack(req)
            await asyncio.sleep(int(req.name) % 7 / 1000)
            if int(req.name) % 10 == 0:
                raise ValueError(f"no {req.name}")
            await ctx.send_output(Response(greeting=req.name))
        def in_thread(ctx, data):
            name = ctx.unpack(data, Request).name
            if int(name) % 10 == 0:
                raise ValueError(f"no {name}")
            ctx.send_output(Response(greeting=name))
        custom_handlers = {"thread": in_thread}
        """
        with FakeRunner(handler, concurrency=200) as runner:
            runner.start()
            for from_node in ("entrypoint", "thread"):
                calls = {
                    n: runner.handle(pb.Request(name=str(n)), from_node=from_node)
                    for n in range(200)
                }
                for n, call_id in calls.items():
                    outputs, end = runner.outcome(call_id)
                    if n % 10 == 0:
                        assert isinstance(end, Failed)
                        self.assertEqual((end.text, outputs), (f"no {n}", []))
                    else:
                        self.assertIsInstance(end, Done)
                        self.assertEqual(
                            pb.Response.FromString(bytes(outputs[0].value)).greeting, str(n)
                        )


class LoadErrors(unittest.TestCase):
    def _failed(self, handler: str | None, **given: object) -> InitFailed:
        with FakeRunner(handler, **given) as runner:
            failed = runner.take(InitFailed)
            self.assertEqual(runner.process.wait(10), 78)
            return failed

    def test_an_import_names_its_line(self) -> None:
        failed = self._failed("import os\nimport no_such_module\n")
        self.assertEqual(
            failed.text,
            "src/node/node.py:2: ModuleNotFoundError: No module named 'no_such_module'"
            " (the bundle has none; packages are listed in its requirements.txt)",
        )
        self.assertIn("Traceback", failed.stack)

    def test_the_module_of_a_proto_that_nothing_imports_says_what_to_do(self) -> None:
        failed = self._failed(
            "from internal_nodes_pb2 import EtlOutput\n", files={"internal_nodes.proto": ""}
        )
        self.assertIn(
            "(modules are made of the entrypoint's .proto and what it imports: "
            "import internal_nodes.proto there",
            failed.text,
        )

    def test_an_import_that_pythons_own_module_hides_says_so(self) -> None:
        failed = self._failed("import types.common_pb2\n", files={"types/common_pb2.py": ""})
        self.assertIn("Python's own module 'types' comes first: rename", failed.text)

    def test_no_path_of_the_computer_is_told(self) -> None:
        failed = self._failed("from public_input_pb2 import Nothing\n")
        self.assertIn("cannot import name 'Nothing' from 'public_input_pb2'", failed.text)
        self.assertTrue(failed.text.endswith("(public_input_pb2.py)"), failed.text)

    def test_a_syntax_error_names_its_line(self) -> None:
        failed = self._failed("def handler(ctx, data):\n    return (\n")
        self.assertRegex(failed.text, r"^src/node/node\.py:2: SyntaxError: ")

    def test_a_helper_of_the_bundle_is_blamed_where_it_fails(self) -> None:
        failed = self._failed("import helper\n", files={"src/node/helper.py": "x = 1\ny = x / 0\n"})
        self.assertEqual(failed.text, "src/node/helper.py:2: ZeroDivisionError: division by zero")

    def test_a_missing_file_is_named(self) -> None:
        failed = self._failed(None)
        self.assertEqual(failed.text, 'src/node/node.py: the bundle has no file "src/node/node.py"')

    def test_a_failing_init_names_its_line(self) -> None:
        failed = self._failed(
            "def init(ctx):\n    raise ValueError('no model')\nasync def handler(ctx, d): ...\n"
        )
        self.assertEqual(failed.text, "init failed: src/node/node.py:2: ValueError: no model")

    def test_a_file_that_exits_says_so(self) -> None:
        failed = self._failed("import sys\nsys.exit(3)\n")
        self.assertEqual(failed.text, "src/node/node.py:2: user code called sys.exit(3)")

    def test_an_init_in_a_thread_that_exits_says_so(self) -> None:
        failed = self._failed(
            "import sys\ndef init(ctx):\n    sys.exit(3)\ndef handler(ctx, d): ...\n"
        )
        self.assertEqual(
            failed.text, "init failed: src/node/node.py:3: user code called sys.exit(3)"
        )

    def test_custom_handlers_of_a_wrong_kind_are_named(self) -> None:
        self.assertIn("custom_handlers is no dict", self._failed("custom_handlers = []").text)
        self.assertIn(
            'custom_handlers["a"] is no function', self._failed("custom_handlers = {'a': 1}").text
        )
        self.assertIn("default_handler is no function", self._failed("default_handler = 1").text)
