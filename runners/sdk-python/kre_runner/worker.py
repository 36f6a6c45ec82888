"""The worker process: handshake, ``init``, messages, end."""

from __future__ import annotations

import asyncio
import inspect
import logging
import platform
import socket
import sys
import threading
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable

from .call_port import NodePort
from .call_runner import CallQueue, DirectRunner, LoopRunner
from .context import Context
from .eager_loop import EagerLoop
from .frame_channel import FrameChannel
from .handler_errors import TerminalError
from .handler_module import NodeHandlers, is_async_function
from .invocation import HandlerSite
from .load_handlers import hidden_modules, load_handlers
from .message_types import MessageTypes
from .node_logger import create_node_logger
from .orphan_guard import start_orphan_guard
from .payload_message import StrictUnpack
from .running_calls import open_running_calls
from .services import Services
from .thread_pool import ThreadPool
from .user_error import describe_load_error, failure_stack, failure_text
from .worker_call import CallOwner, WorkerCall
from .worker_frame import (
    WORKER_PROTOCOL,
    CallResult,
    Cancel,
    Drain,
    Frame,
    Handle,
    Hello,
    Init,
    InitDone,
    InitFailed,
    Loaded,
    Log,
)  # fmt: skip

EXIT_CONFIG = 78
"""The handler can't be loaded: another start would fail, too."""
EXIT_PROTOCOL = 76
_LEFT_TASKS_SECONDS = 1.0


class Worker:
    """Runs the handlers of one node for the runner at the other end of ``sock``."""

    def __init__(self, sock: socket.socket) -> None:
        self._channel = FrameChannel(sock, self._on_frame, self._on_end)
        self._services = Services(self._channel, self._on_lost_answer)
        self._owner = CallOwner(self._channel, self._services, self._create_call_logger)
        self._queue = CallQueue(self._owner, self._on_ended)
        self._strict = StrictUnpack()
        self._outside = WorkerCall(self._owner, Handle())
        self._init: Init | None = None
        self._loop = EagerLoop()
        self._services.own_loop = self._loop
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._is_over = False
        self._is_draining = False
        self._exit_code = 0
        self._loop_runner: LoopRunner | None = None
        # Set when the handlers are there, before the first message.
        self._node: NodePort
        self._handlers: NodeHandlers
        self._pool: ThreadPool

    def run(self) -> int:
        """Returns the process's exit code, when the runner has drained the worker or is gone."""
        asyncio.set_event_loop(self._loop)
        start_orphan_guard(self._channel.fileno())
        self._channel.send(
            Hello(WORKER_PROTOCOL, f"python {platform.python_version()}", reads_ahead=True)
        )
        while self._init is None and not self._is_over:
            self._channel.pump()
        if self._init is None:
            return self._exit_code
        self._strict.install()
        self._node = self._make_node(self._init)
        self._pool = ThreadPool(self._init.concurrency)
        if self._load(self._init):
            self._serve(self._init)
        self._finish()
        return self._exit_code

    # --- start --------------------------------------------------------------------------------------

    def _make_node(self, init: Init) -> NodePort:
        return NodePort(
            node_name=init.node_name or init.node,
            base_path=init.base_path,
            is_exitpoint=init.is_exitpoint,
            response_type=init.response_type,
            is_streaming=init.is_streaming,
            has_object_store=init.object_store,
            config=init.config,
            types=MessageTypes(lambda: init.descriptor_set),
            logger=create_node_logger(init.node_name or init.node, self._write_log),
        )

    def _write_log(self, call_id: int, level: str, text: str) -> None:
        self._channel.send_log(Log(call_id, level, text))

    def _create_call_logger(self, call_id: int) -> logging.Logger:
        return create_node_logger(
            self._node.node_name, lambda _, level, text: self._write_log(call_id, level, text)
        )

    def _load(self, init: Init) -> bool:
        try:
            self._handlers = load_handlers(init.base_path, init.handler_path, init.batched)
            self._warn_of_hidden_modules(init)
            self._channel.send(Loaded())
            return True
        except BaseException as error:  # sys.exit() in the file, too, is the author's to know
            self._init_failed("", error)
            return False

    def _warn_of_hidden_modules(self, init: Init) -> None:
        for path in hidden_modules(init.base_path, init.handler_path):
            if path != init.handler_path:
                self._node.logger.warning(
                    "%s can't be imported: Python's own module of that name comes first; rename it",
                    path,
                )

    def _serve(self, init: Init) -> None:
        """Runs ``init`` and then serves until the end."""
        if not self._can_be_direct(init):
            self._serve_in_loop(None)
            return
        ctx = Context(self._node, self._outside)
        try:
            if self._handlers.init is not None:
                returned = self._handlers.init(ctx)
                if inspect.isawaitable(returned):
                    self._wait_for(returned)
        except BaseException as error:
            self._init_failed("init failed: ", error)
            return
        if asyncio.all_tasks(self._loop):
            # Tasks that ``init`` left behind need a loop that runs.
            self._serve_in_loop(ctx)
            return
        self._channel.send(InitDone(self._handlers.handles_errors))
        runner = DirectRunner(
            self._site(init, ctx),
            self._queue,
            self._channel,
            open_running_calls(init.running_file, 1),
            self._wait_for,
        )
        runner.serve(lambda: self._is_over or self._is_draining)

    def _can_be_direct(self, init: Init) -> bool:
        """Whether no handler and no ``init`` needs an event loop or a thread of its own."""
        is_init_async = self._handlers.init is not None and is_async_function(self._handlers.init)
        return init.concurrency <= 1 and not self._handlers.has_async and not is_init_async

    def _serve_in_loop(self, initialized: Context | None) -> None:
        """``initialized``: the context of an ``init`` that has run."""
        self._owner.loop_thread = threading.get_ident()
        self._channel.attach(self._loop)
        self._run_in_loop(self._serve_calls(initialized))

    async def _serve_calls(self, initialized: Context | None) -> None:
        assert self._init is not None
        ctx = initialized or Context(self._node, self._outside)
        try:
            if initialized is None:
                await self._run_init(ctx)
        except BaseException as error:
            self._init_failed("init failed: ", error)
            return
        self._owner.pumps = False
        self._loop_runner = LoopRunner(
            self._site(self._init, ctx),
            self._queue,
            self._channel,
            open_running_calls(self._init.running_file, max(1, self._init.concurrency)),
            self._loop,
            self._pool,
        )
        self._channel.send(InitDone(self._handlers.handles_errors))
        await self._ended

    def _site(self, init: Init, ctx: Context) -> HandlerSite:
        return HandlerSite(
            self._node, self._handlers, self._strict, dict(ctx.__dict__), self._queue.end
        )

    async def _run_init(self, ctx: Context) -> None:
        init = self._handlers.init
        if init is None:
            return
        if is_async_function(init):
            self._owner.pumps = False
            await init(ctx)
            return
        # In the thread where the handlers run: what init opens may be bound to it.
        returned = await self._run_init_in_pool(init, ctx) if self._handlers.has_sync else init(ctx)
        if inspect.isawaitable(returned):
            self._owner.pumps = False
            await returned

    async def _run_init_in_pool(self, init: Callable[[Context], Any], ctx: Context) -> Any:
        self._owner.pumps = False
        returned: asyncio.Future[Any] = self._loop.create_future()

        def run() -> None:
            outcome: Any
            try:
                outcome = init(ctx)
            except BaseException as error:
                # A future takes no SystemExit and no StopIteration.
                outcome = _Raised(error)
            self._loop.call_soon_threadsafe(returned.set_result, outcome)

        self._pool.submit(run)
        return _value_of(await returned)

    def _wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Awaits something where no event loop runs."""

        async def wait() -> Any:
            try:
                return await awaitable
            except BaseException as error:
                # Out of a task, SystemExit would end the process.
                return _Raised(error)

        self._owner.pumps = False
        self._owner.loop_thread = threading.get_ident()
        self._channel.attach(self._loop)
        try:
            return _value_of(self._loop.run_until_complete(wait()))
        finally:
            self._channel.detach()
            self._owner.loop_thread = 0
            self._owner.pumps = True

    def _init_failed(self, prefix: str, error: BaseException) -> None:
        assert self._init is not None
        if self._is_over:
            return
        text = describe_load_error(error, self._init.base_path, self._init.handler_path)
        self._channel.send(InitFailed(prefix + text, failure_stack(error)))
        self._exit_code = EXIT_CONFIG

    # --- frames -------------------------------------------------------------------------------------

    def _on_frame(self, frame: Frame) -> None:
        if isinstance(frame, Handle):
            self._queue.accept(frame)
            if self._loop_runner is not None:
                self._loop_runner.start_waiting()
        elif isinstance(frame, CallResult):
            self._services.on_result(frame)
        elif isinstance(frame, Cancel):
            self._queue.cancel(frame.call_id)
        elif isinstance(frame, Drain):
            self._is_draining = True
            self._end_if_drained()
        elif isinstance(frame, Init) and self._init is None:
            self._init = frame
        else:
            self._channel.send(
                Log(0, "WARN", f"the runner sent an unexpected frame: {type(frame).__name__}")
            )

    def _on_end(self, error: Exception | None) -> None:
        """The runner is gone. What is in hand has nobody to answer to."""
        self._is_over = True
        if error is not None:
            print(f"kre_runner: the connection to the runner failed: {error}", file=sys.stderr)
            self._exit_code = EXIT_PROTOCOL
        self._services.fail(TerminalError("the runner is gone"))
        if not self._ended.done():
            self._ended.set_result(None)

    def _on_lost_answer(self, call_id: int, service: str, error: BaseException) -> None:
        self._channel.send(
            Log(call_id, "ERROR", f"{service} failed, and nothing awaited it: {error}")
        )

    # --- end ----------------------------------------------------------------------------------------

    def _on_ended(self) -> None:
        if self._is_draining and self._owner.loop_thread != 0:
            self._loop.call_soon_threadsafe(self._end_if_drained)

    def _end_if_drained(self) -> None:
        if self._is_draining and self._queue.is_empty and not self._ended.done():
            self._ended.set_result(None)

    def _run_in_loop(self, main: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(main)
        while not task.done():
            try:
                self._loop.run_until_complete(task)
            except SystemExit as error:
                # A task that user code started; one of ours lets none through.
                self._node.logger.error("%s in a background task", failure_text(error))

    def _finish(self) -> None:
        self._channel.flush_all()
        self._channel.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=_LEFT_TASKS_SECONDS))
        self._strict.uninstall()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _value_of(outcome: Any) -> Any:
    if isinstance(outcome, _Raised):
        raise outcome.error
    return outcome


def run_worker(socket_path: str) -> int:
    """Serves the runner that listens at ``socket_path``; returns the process's exit code."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(socket_path)
    return Worker(sock).run()
