"""One message in the worker's hands."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from . import call_port
from .call_port import Answer
from .frame_channel import FrameChannel
from .handler_errors import TerminalError
from .message_types import Payload
from .service_call import Nothing, Pending
from .services import Services
from .worker_frame import Buffer, Handle, Output

if TYPE_CHECKING:
    from .invocation import Invocation

T = TypeVar("T")
_POLL_SECONDS = 0.001
_NOTHING = Nothing()


class CallOwner:
    """What the calls of a worker share."""

    def __init__(
        self,
        channel: FrameChannel,
        services: Services,
        create_logger: Callable[[int], logging.Logger],
    ) -> None:
        """``create_logger``: of one call, by its id."""
        self.create_logger = create_logger
        self.channel = channel
        self.services = services
        self.loop_thread = 0
        """The thread whose event loop reads the frames; 0 = no loop does."""
        self.pumps = True
        """No event loop reads the frames: who waits for one reads them."""
        self.is_quick = False
        """The last handler took so little time that its outputs may wait for its end, to go out in one system
        call. The outputs of slow handlers leave at once."""
        self._polled = 0.0

    def poll(self) -> None:
        """Handles the frames that have come, at most once in a millisecond."""
        now = time.perf_counter()
        if now - self._polled > _POLL_SECONDS:
            self._polled = now
            self.channel.poll()


class WorkerCall:
    __slots__ = (
        "id", "request_id", "from_node", "message_type", "payload", "error", "deadline_unix_ms", "attempt",
        "metadata", "is_cancelled", "is_error", "is_over", "is_shared", "invocation", "_logger", "_owner",
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
        self.is_cancelled = False
        """The runner has said so."""
        self.is_error = frame.message_type == call_port.ERROR
        self.is_over = False
        self.invocation: Invocation | None = None
        """Set while the handler runs."""
        self.is_shared = False
        """It has its handler together with others, so that nothing tells which of them a log line is of."""
        self._logger: logging.Logger | None = None
        self._owner = owner

    @property
    def logger(self) -> logging.Logger | None:
        if self.is_shared and self._logger is None:
            self._logger = self._owner.create_logger(self.id)
        return self._logger

    @property
    def cancelled(self) -> bool:
        if not self.is_cancelled and self._owner.pumps:
            self._owner.poll()
        return self.is_cancelled

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
        wires.send(frame, flush=not (owner.is_quick and message_type == call_port.OK))
        in_loop = threading.get_ident() == owner.loop_thread
        if in_loop:
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
            pumps=self._owner.pumps,
            is_cancelled=lambda: self.is_cancelled,
        )
