"""One message in the worker's hands."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Callable, TypeVar

from . import call_port
from .call_port import Answer
from .frame_channel import FrameChannel
from .handler_errors import TerminalError
from .message_types import Payload
from .service_call import Nothing, Pending
from .services import Services
from .worker_frame import Buffer, Handle, Output

T = TypeVar("T")
_QUICK_SECONDS = 0.001
_NOTHING = Nothing()


class CallOwner:
    """What the calls of a worker share."""

    def __init__(self, channel: FrameChannel, services: Services) -> None:
        self.channel = channel
        self.services = services
        self.loop_thread = threading.get_ident()
        self.is_quick = False
        """The last handler took so little time that its outputs may wait for its end, to go out in one system
        call. The outputs of slow handlers leave at once."""


class WorkerCall:
    __slots__ = (
        "id", "request_id", "from_node", "message_type", "payload", "error", "deadline_unix_ms", "attempt",
        "metadata", "cancelled", "is_error", "is_over", "task", "pumps", "_owner", "_began",
    )  # fmt: skip

    def __init__(self, owner: CallOwner, frame: Handle) -> None:
        self.id = frame.call_id
        """0 = outside a handler."""
        self.request_id = frame.request_id
        self.from_node = frame.from_node
        self.message_type = frame.message_type
        self.payload: Payload = (frame.type_url, frame.value)
        self.error = frame.error
        self.deadline_unix_ms = frame.deadline_unix_ms
        self.attempt = frame.attempt
        self.metadata: Mapping[str, str] = frame.metadata
        self.cancelled = False
        self.is_error = frame.message_type == call_port.ERROR
        self.is_over = False
        self.task: asyncio.Task[None] | None = None
        self.pumps = False
        """Sync code runs in the loop's thread (``init``) and waits by reading the frames itself."""
        self._owner = owner
        self._began = 0.0

    def begin(self) -> None:
        """The handler is called now."""
        self._began = time.perf_counter()

    def output(
        self, message_type: int, channel: str, payload: Payload, error: str
    ) -> Awaitable[None]:
        if self.id == 0:
            raise TerminalError(
                "nothing can be sent outside a handler: there is no message to answer"
            )
        if self.is_over:
            raise TerminalError("the handler has returned: await what it sends before it does")
        owner = self._owner
        wires = owner.channel
        frame = Output(self.id, message_type, channel or "", payload[0], payload[1], error)
        may_wait = owner.is_quick and message_type == call_port.OK
        wires.send(frame, flush=not may_wait)
        in_loop = threading.get_ident() == owner.loop_thread
        if may_wait and in_loop:
            wires.flush_soon()
        if not wires.is_full:
            return _NOTHING
        if in_loop:
            return Pending(wires.drained())
        wires.wait_drained()
        return _NOTHING

    def service(
        self,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        data: Buffer,
        decode: Callable[[Any, Buffer], T],
    ) -> Answer[T]:
        return self._owner.services.call(
            self.id,
            service,
            method,
            arguments,
            data,
            decode,
            pump=self.pumps,
            is_cancelled=lambda: self.cancelled,
        )

    def end(self) -> None:
        self.is_over = True
        self._owner.is_quick = time.perf_counter() - self._began < _QUICK_SECONDS
