"""One call of a handler: with one message, or with those of a batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .call_port import NodePort
from .context import Context
from .handler_module import (
    BatchHandler,
    Handler,
    NodeHandlers,
    send_returned,
    send_returned_list,
)
from .node_logger import current_call_id
from .payload_message import PayloadDict, StrictUnpack
from .worker_call import WorkerCall

EndCall = Callable[[WorkerCall, "BaseException | None", int], None]


@dataclass(frozen=True)
class HandlerSite:
    """What all calls of a node's handlers share."""

    node: NodePort
    handlers: NodeHandlers
    strict: StrictUnpack
    attributes: Mapping[str, Any]
    """Those that ``init`` set on its context."""
    end: EndCall
    """Told of each message's end: what failed, and the handler's time in microseconds."""


class Invocation:
    __slots__ = ("calls", "slot", "is_async", "task", "_site", "_handler", "_batch", "_contexts", "_data", "_began")  # fmt: skip

    def __init__(self, site: HandlerSite, calls: list[WorkerCall], slot: int) -> None:
        """Raises TerminalError when the node has no handler for the message."""
        first = calls[0]
        self.calls = calls
        self.slot = slot
        """Of those that run at once."""
        self.task: asyncio.Task[None] | None = None
        self._site = site
        self._handler: Handler | None = None
        self._batch: BatchHandler | None = site.handlers.batch_for(first.is_error)
        if self._batch is None:
            self._handler = site.handlers.handler_for(first.from_node, first.is_error)
        self._contexts: list[Context] = []
        self._data: list[Any] = []
        self._began = time.perf_counter()
        self.is_async = (self._handler or self._batch).is_async  # type: ignore[union-attr]

    def call(self) -> Any:
        """Calls the handler; what it returns is for ``succeed``, awaited where it is awaitable."""
        site, calls = self._site, self.calls
        self._began = time.perf_counter()
        handler = self._handler
        if handler is not None:
            call = calls[0]
            current_call_id.set(call.id)
            call.invocation = self
            ctx = Context(site.node, call, site.attributes)
            data = (
                PayloadDict(call, site.node.types) if handler.takes_dict else site.strict.make(call)
            )
            self._contexts = [ctx]
            self._data = [data]
            return handler.function(ctx, data)
        assert self._batch is not None
        is_shared = len(calls) > 1
        current_call_id.set(0 if is_shared else calls[0].id)
        for call in calls:
            call.invocation = self
            call.is_shared = is_shared
            self._contexts.append(Context(site.node, call, site.attributes))
            self._data.append(site.strict.make(call))
        return self._batch.function(list(self._contexts), list(self._data))

    def succeed(self, returned: object) -> None:
        """Sends what the handler returned. Raises what fails then, which is the handler's failure."""
        if self._handler is not None:
            send_returned(self._contexts[0], self._handler, returned)
            outcomes: list[BaseException | None] = [None]
        else:
            assert self._batch is not None
            outcomes = send_returned_list(self._contexts, self._batch, returned)
        self._end(outcomes)

    def fail(self, error: BaseException) -> None:
        """The handler failed, and with it all its messages."""
        self._end([error] * len(self.calls))

    def _end(self, outcomes: list[BaseException | None]) -> None:
        for data in self._data:
            self._site.strict.release(data)
        elapsed_us = max(1, int((time.perf_counter() - self._began) * 1e6))
        for call, outcome in zip(self.calls, outcomes):
            call.is_over = True
            call.invocation = None
            self._site.end(call, outcome, elapsed_us)

    def cancel(self) -> None:
        """One of its calls was cancelled. The others of a batch go on."""
        if self.task is not None and all(call.is_cancelled for call in self.calls):
            self.task.cancel()
