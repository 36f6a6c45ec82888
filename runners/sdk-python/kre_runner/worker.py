"""The worker process: handshake, ``init``, messages, end."""

from __future__ import annotations

import asyncio
import inspect
import platform
import socket
import sys
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, Callable

from .call_port import NodePort
from .context import Context
from .frame_channel import FrameChannel
from .handler_errors import RetryableError, TerminalError
from .handler_module import Handler, NodeHandlers, is_async_function, send_returned
from .load_handlers import hidden_modules, load_handlers
from .message_types import MessageTypes
from .node_logger import create_node_logger, current_call_id
from .orphan_guard import start_orphan_guard
from .payload_message import PayloadDict, StrictUnpack
from .services import CANCELLED, Services
from .thread_pool import ThreadPool
from .user_error import describe_load_error, failure_stack, failure_status, failure_text
from .worker_call import CallOwner, WorkerCall
from .worker_frame import (
    WORKER_PROTOCOL,
    CallResult,
    Cancel,
    Done,
    Drain,
    Failed,
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
        self._owner = CallOwner(self._channel, self._services)
        self._strict = StrictUnpack()
        self._calls: dict[int, WorkerCall] = {}
        self._outside = WorkerCall(self._owner, Handle())
        self._init: Init | None = None
        self._loop = asyncio.new_event_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._is_over = False
        self._is_draining = False
        self._exit_code = 0
        # Set when the handlers are there, before the first message.
        self._node: NodePort
        self._handlers: NodeHandlers
        self._pool: ThreadPool
        self._attributes: Mapping[str, Any] = {}

    def run(self) -> int:
        """Returns the process's exit code, when the runner has drained the worker or is gone."""
        asyncio.set_event_loop(self._loop)
        start_orphan_guard(self._channel.fileno())
        self._channel.send(Hello(WORKER_PROTOCOL, f"python {platform.python_version()}"))
        while self._init is None and not self._is_over:
            self._channel.pump()
        if self._init is None:
            return self._exit_code
        self._strict.install()
        self._node = self._make_node(self._init)
        self._pool = ThreadPool(self._init.concurrency)
        if self._load(self._init):
            self._channel.attach(self._loop)
            self._run_in_loop(self._serve())
        self._finish()
        return self._exit_code

    # --- start --------------------------------------------------------------------------------------

    def _make_node(self, init: Init) -> NodePort:
        def write(call_id: int, level: str, text: str) -> None:
            self._channel.send(Log(call_id, level, text))

        return NodePort(
            node_name=init.node_name or init.node,
            base_path=init.base_path,
            is_exitpoint=init.is_exitpoint,
            response_type=init.response_type,
            has_object_store=init.object_store,
            config=init.config,
            types=MessageTypes(lambda: init.descriptor_set),
            logger=create_node_logger(init.node_name or init.node, write),
        )

    def _load(self, init: Init) -> bool:
        try:
            self._handlers = load_handlers(init.base_path, init.handler_path)
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
                    "%s can't be imported: Python or the worker has a module of that name; rename it",
                    path,
                )

    async def _serve(self) -> None:
        """Runs ``init`` and then serves until the end."""
        try:
            await self._run_init()
        except BaseException as error:
            self._init_failed("init failed: ", error)
            return
        self._channel.send(InitDone(self._handlers.handles_errors))
        await self._ended

    async def _run_init(self) -> None:
        init = self._handlers.init
        if init is None:
            return
        ctx = Context(self._node, self._outside)
        if is_async_function(init):
            await init(ctx)
        else:
            # In the thread where the handlers run: what init opens may be bound to it.
            run = self._run_init_in_pool if self._handlers.needs_threads else self._run_init_here
            returned = await run(init, ctx)
            if inspect.isawaitable(returned):
                await returned
        self._attributes = dict(ctx.__dict__)

    async def _run_init_here(self, init: Callable[[Context], Any], ctx: Context) -> Any:
        self._outside.pumps = True
        try:
            return init(ctx)
        finally:
            self._outside.pumps = False

    async def _run_init_in_pool(self, init: Callable[[Context], Any], ctx: Context) -> Any:
        returned: asyncio.Future[Any] = self._loop.create_future()

        def run() -> None:
            try:
                self._loop.call_soon_threadsafe(returned.set_result, init(ctx))
            except BaseException as error:
                # A future takes no SystemExit and no StopIteration, so they travel inside a plain tuple.
                self._loop.call_soon_threadsafe(returned.set_result, _Raised(error))

        self._pool.submit(run)
        outcome = await returned
        if isinstance(outcome, _Raised):
            raise outcome.error
        return outcome

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
            self._on_handle(frame)
        elif isinstance(frame, CallResult):
            self._services.on_result(frame)
        elif isinstance(frame, Cancel):
            self._on_cancel(frame.call_id)
        elif isinstance(frame, Drain):
            self._is_draining = True
            self._end_if_drained()
        elif isinstance(frame, Init) and self._init is None:
            self._init = frame
        else:
            self._channel.send(
                Log(0, "WARN", f"the runner sent an unexpected frame: {type(frame).__name__}")
            )

    def _on_handle(self, frame: Handle) -> None:
        call = WorkerCall(self._owner, frame)
        self._calls[call.id] = call
        try:
            handler = self._handlers.handler_for(frame.from_node, call.is_error)
        except TerminalError as error:
            self._end_call(call, error)
            return
        if handler.is_async:
            call.task = self._start_task(self._run_async(call, handler))
        else:
            self._pool.submit(self._run_in_thread, call, handler)

    def _on_cancel(self, call_id: int) -> None:
        call = self._calls.get(call_id)
        if call is None:
            return
        call.cancelled = True
        if call.task is not None:
            call.task.cancel()
        self._services.fail(TerminalError(CANCELLED), call_id)

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

    # --- calls --------------------------------------------------------------------------------------

    def _start_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if sys.version_info >= (3, 12):
            # Runs up to the first wait now, which most handlers never reach.
            return asyncio.Task(coroutine, loop=self._loop, eager_start=True)
        return self._loop.create_task(coroutine)

    async def _run_async(self, call: WorkerCall, handler: Handler) -> None:
        current_call_id.set(call.id)
        data: Any = None
        try:
            call.begin()
            ctx = Context(self._node, call, self._attributes)
            data = self._data_for(call, handler)
            send_returned(ctx, handler, await handler.function(ctx, data))
        except BaseException as error:  # also SystemExit: it ends the call and not the worker
            self._end_call(call, error)
        else:
            self._end_call(call, None)
        finally:
            self._strict.release(data)

    def _run_in_thread(self, call: WorkerCall, handler: Handler) -> None:
        current_call_id.set(call.id)
        data: Any = None
        try:
            call.begin()
            ctx = Context(self._node, call, self._attributes)
            data = self._data_for(call, handler)
            returned = handler.function(ctx, data)
            if inspect.isawaitable(returned):
                rest = self._await_rest(call, handler, ctx, data, returned)
                data = None  # released at the end of the rest
                self._loop.call_soon_threadsafe(self._start_rest, call, rest)
                return
            send_returned(ctx, handler, returned)
        except BaseException as error:
            self._end_call(call, error)
        else:
            self._end_call(call, None)
        finally:
            self._strict.release(data)
            current_call_id.set(0)

    def _start_rest(self, call: WorkerCall, rest: Coroutine[Any, Any, None]) -> None:
        call.task = self._loop.create_task(rest)
        if call.cancelled:
            call.task.cancel()

    async def _await_rest(
        self, call: WorkerCall, handler: Handler, ctx: Context, data: Any, awaitable: Any
    ) -> None:
        """A sync function gave something to await, such as the coroutine of the function that it decorates."""
        current_call_id.set(call.id)
        try:
            send_returned(ctx, handler, await awaitable)
        except BaseException as error:
            self._end_call(call, error)
        else:
            self._end_call(call, None)
        finally:
            self._strict.release(data)

    def _data_for(self, call: WorkerCall, handler: Handler) -> Any:
        if handler.takes_dict:
            return PayloadDict(call, self._node.types)
        return self._strict.make(call)

    def _end_call(self, call: WorkerCall, error: BaseException | None) -> None:
        call.end()
        self._calls.pop(call.id, None)
        frame = Done(call.id) if error is None else self._failed_frame(call, error)
        if threading.get_ident() == self._owner.loop_thread:
            self._channel.send(frame, flush=False)
            self._channel.flush_soon()
            self._end_if_drained()
        else:
            self._channel.send(frame)
            if self._is_draining:
                self._loop.call_soon_threadsafe(self._end_if_drained)

    def _failed_frame(self, call: WorkerCall, error: BaseException) -> Failed:
        stack = failure_stack(error)
        if isinstance(error, asyncio.CancelledError):
            return Failed(
                call.id, CANCELLED if call.cancelled else "the handler cancelled itself", stack
            )
        is_retryable = isinstance(error, RetryableError)
        return Failed(
            call.id,
            failure_text(error),
            stack,
            retryable=is_retryable,
            retry_after_ms=max(0, int(error.retry_after_ms or 0)) if is_retryable else 0,
            status_code=failure_status(error, call.from_node),
        )

    # --- end ----------------------------------------------------------------------------------------

    def _end_if_drained(self) -> None:
        if self._is_draining and not self._calls and not self._ended.done():
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


def run_worker(socket_path: str) -> int:
    """Serves the runner that listens at ``socket_path``; returns the process's exit code."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(socket_path)
    return Worker(sock).run()
