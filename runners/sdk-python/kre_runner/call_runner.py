"""Runs the calls of a worker in the order of their messages, as many at once as the node's ``concurrency``.

The runner sends more than that, so that a quick handler never waits for its next message; what is read ahead stays in
the queue until its turn, and is not to blame when the process dies (``RunningCalls``).
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections import deque
from collections.abc import Awaitable
from typing import Any, Callable

from .eager_loop import EagerLoop
from .frame_channel import FrameChannel
from .handler_errors import RetryableError, TerminalError
from .invocation import HandlerSite, Invocation
from .node_logger import current_call_id
from .running_calls import RunningCalls
from .services import CANCELLED
from .thread_pool import ThreadPool
from .user_error import failure_stack, failure_status, failure_text
from .worker_call import CallOwner, WorkerCall
from .worker_frame import Done, Failed, Handle

_QUICK_US = 1_000
"""The outputs of handlers that take less may wait for their end."""


class CallQueue:
    """The messages that the runner has sent, until their handlers are called."""

    def __init__(self, owner: CallOwner, on_ended: Callable[[], None]) -> None:
        """``on_ended``: told, in any thread, of each call's end."""
        self._owner = owner
        self._on_ended = on_ended
        self._calls: dict[int, WorkerCall] = {}
        self._batch: list[WorkerCall] = []
        self._waiting: deque[list[WorkerCall]] = deque()

    def accept(self, frame: Handle) -> None:
        call = WorkerCall(self._owner, frame)
        self._calls[call.id] = call
        if frame.batch == 0:
            self._waiting.append([call])
            return
        self._batch.append(call)
        if frame.batch == 1:
            self._waiting.append(self._batch)
            self._batch = []

    def cancel(self, call_id: int) -> None:
        call = self._calls.get(call_id)
        if call is None:
            return
        call.is_cancelled = True
        self._owner.services.fail(TerminalError(CANCELLED), call_id)
        if call.invocation is not None:
            call.invocation.cancel()

    @property
    def is_empty(self) -> bool:
        """Nothing waits and nothing runs."""
        return not self._calls

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def take(self) -> list[WorkerCall] | None:
        """The messages of the next call of a handler, without those that nobody waits for; None when none wait."""
        while self._waiting:
            calls = self._waiting.popleft()
            if not any(call.is_cancelled for call in calls):
                return calls
            for call in calls:
                if call.is_cancelled:
                    self.end(call, TerminalError(CANCELLED), 0)
            alive = [call for call in calls if not call.is_cancelled]
            if alive:
                return alive
        return None

    def end(self, call: WorkerCall, error: BaseException | None, elapsed_us: int) -> None:
        """Says that a call is over. The frame goes out with those that follow."""
        call.is_over = True
        self._calls.pop(call.id, None)
        self._owner.is_quick = elapsed_us < _QUICK_US
        frame = Done(call.id, elapsed_us) if error is None else _failed(call, error, elapsed_us)
        self._owner.channel.send(frame, flush=False)
        self._on_ended()


def _failed(call: WorkerCall, error: BaseException, elapsed_us: int) -> Failed:
    stack = failure_stack(error)
    if isinstance(error, asyncio.CancelledError):
        text = CANCELLED if call.is_cancelled else "the handler cancelled itself"
        return Failed(call.id, text, stack, elapsed_us=elapsed_us)
    retry_after_ms = error.retry_after_ms if isinstance(error, RetryableError) else 0
    return Failed(
        call.id,
        failure_text(error),
        stack,
        retryable=isinstance(error, RetryableError),
        retry_after_ms=max(0, int(retry_after_ms or 0)),
        status_code=failure_status(error, call.from_node),
        elapsed_us=elapsed_us,
    )


def open_invocation(
    site: HandlerSite, queue: CallQueue, calls: list[WorkerCall], slot: int
) -> Invocation | None:
    """None when there is no handler for the messages: they have failed."""
    try:
        return Invocation(site, calls, slot)
    except TerminalError as error:
        for call in calls:
            queue.end(call, error, 0)
        return None


class DirectRunner:
    """Calls sync handlers, one at a time, in the thread that reads the frames: without an event loop, and without
    waking a thread for each message."""

    def __init__(
        self,
        site: HandlerSite,
        queue: CallQueue,
        channel: FrameChannel,
        running: RunningCalls,
        wait_for: Callable[[Awaitable[Any]], Any],
    ) -> None:
        """``wait_for``: awaits what a handler returned."""
        self._site = site
        self._queue = queue
        self._channel = channel
        self._running = running
        self._wait_for = wait_for

    def serve(self, is_over: Callable[[], bool]) -> None:
        """Runs calls until ``is_over``, which is asked when nothing waits."""
        queue, channel = self._queue, self._channel
        while True:
            calls = queue.take()
            if calls is not None:
                self._run(calls)
                channel.flush_if_due()
                continue
            if is_over():
                return
            channel.pump()

    def _run(self, calls: list[WorkerCall]) -> None:
        invocation = open_invocation(self._site, self._queue, calls, 0)
        if invocation is None:
            return
        self._running[0] = calls[0].id
        began = time.perf_counter()
        try:
            returned = invocation.call()
            if returned is not None and inspect.isawaitable(returned):
                returned = self._wait_for(returned)
            invocation.succeed(returned)
        except BaseException as error:  # also SystemExit: it ends the call and not the worker
            invocation.fail(error)
        finally:
            self._running[0] = 0
            current_call_id.set(0)
        if time.perf_counter() - began > _QUICK_US / 1e6:
            # Cancellations of what waits may have come meanwhile.
            self._channel.poll()


class LoopRunner:
    """Async handlers share one event loop, sync handlers run in threads."""

    def __init__(
        self,
        site: HandlerSite,
        queue: CallQueue,
        channel: FrameChannel,
        running: RunningCalls,
        loop: EagerLoop,
        pool: ThreadPool,
    ) -> None:
        self._site = site
        self._queue = queue
        self._channel = channel
        self._running = running
        self._loop = loop
        self._pool = pool
        self._lock = threading.Lock()
        self._free = list(range(len(running)))
        self._is_starting = False

    def start_waiting(self) -> None:
        """For the loop's thread: after messages have come, and when a slot is free."""
        if self._is_starting:
            return  # a handler that ended at once calls back from inside
        self._is_starting = True
        while True:
            invocation = self._next()
            if invocation is None:
                break
            if invocation.is_async:
                invocation.task = self._loop.start(self._run_async(invocation))
            else:
                self._pool.submit(self._run_in_thread, invocation)
        self._is_starting = False
        self._channel.flush_soon()

    def _next(self, slot: int | None = None) -> Invocation | None:
        """The next call, in ``slot`` or a free one; None, and ``slot`` is free, when there is none."""
        while True:
            with self._lock:
                if slot is None:
                    if not self._free:
                        return None
                    slot = self._free.pop()
                calls = self._queue.take()
                if calls is None:
                    self._free.append(slot)
                    return None
            invocation = open_invocation(self._site, self._queue, calls, slot)
            if invocation is not None:
                self._running[slot] = calls[0].id
                return invocation

    def _free_slot(self, invocation: Invocation) -> None:
        self._running[invocation.slot] = 0
        with self._lock:
            self._free.append(invocation.slot)

    async def _run_async(self, invocation: Invocation) -> None:
        try:
            invocation.succeed(await invocation.call())
        except BaseException as error:
            invocation.fail(error)
        self._free_slot(invocation)
        self.start_waiting()

    def _run_in_thread(self, invocation: Invocation) -> None:
        next_one: Invocation | None = invocation
        while next_one is not None:
            next_one = self._run_one_in_thread(next_one)
        self._channel.flush()

    def _run_one_in_thread(self, invocation: Invocation) -> Invocation | None:
        """Gives the call that this thread runs next, without the loop's help."""
        try:
            returned = invocation.call()
            if returned is not None and inspect.isawaitable(returned):
                self._loop.call_soon_threadsafe(self._start_rest, invocation, returned)
                return None
            invocation.succeed(returned)
        except BaseException as error:  # also SystemExit: it ends the call and not the worker
            invocation.fail(error)
        finally:
            current_call_id.set(0)
        if self._site.handlers.has_async:
            self._free_slot(invocation)
            if self._queue.has_waiting:
                self._loop.call_soon_threadsafe(self.start_waiting)
            return None
        self._channel.flush_if_due()
        self._running[invocation.slot] = 0
        return self._next(invocation.slot)

    def _start_rest(self, invocation: Invocation, awaitable: Awaitable[Any]) -> None:
        invocation.task = self._loop.create_task(self._await_rest(invocation, awaitable))
        invocation.cancel()

    async def _await_rest(self, invocation: Invocation, awaitable: Awaitable[Any]) -> None:
        """A sync function gave something to await, such as the coroutine of the function that it decorates."""
        first = invocation.calls[0]
        current_call_id.set(0 if first.is_shared else first.id)
        try:
            invocation.succeed(await awaitable)
        except BaseException as error:
            invocation.fail(error)
        self._free_slot(invocation)
        self.start_waiting()
