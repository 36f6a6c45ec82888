"""Calls of the runner's services over the channel, for coroutines and for threads."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Mapping
from typing import Any, Callable, TypeVar, Union, cast

from .call_port import Answer
from .frame_channel import FrameChannel
from .handler_errors import ServiceError, TerminalError
from .message_fields import plain_value
from .service_call import LoopAnswer, Pending, running_loop
from .worker_frame import Buffer, Call, CallResult

T = TypeVar("T")
_ID_MAX = 2**32 - 1
CANCELLED = "the call was cancelled: nobody waits for its result any more"


class ThreadAnswer:
    """The place of an answer that a thread waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._value: Any = None
        self._error: BaseException | None = None
        self.is_there = False

    def resolve(self, value: Any, error: BaseException | None) -> None:
        if self.is_there:
            return
        self._value, self._error = value, error
        self.is_there = True
        self._lock.release()

    def wait(self) -> Any:
        self._lock.acquire()
        if self._error is not None:
            raise self._error
        return self._value


_Place = Union[LoopAnswer, ThreadAnswer]


class Services:
    """Numbers the calls and brings each answer to who waits for it."""

    def __init__(
        self, channel: FrameChannel, on_lost: Callable[[int, str, BaseException], None]
    ) -> None:
        """``on_lost``: told of call id, service and error when nobody awaited the answer."""
        self._channel = channel
        self._on_lost = on_lost
        self._ids = itertools.count(1)
        self.own_loop: asyncio.AbstractEventLoop | None = None
        """The worker's, in which a sync ``init`` can't await."""
        self._waiting: dict[int, tuple[int, _Place, Callable[[Any, Buffer], Any]]] = {}

    def call(
        self,
        call_id: int,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        data: Buffer,
        decode: Callable[[Any, Buffer], T],
        *,
        pumps: bool = False,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Answer[T]:
        """``pumps``: no event loop reads the frames, so who waits for an answer reads them meanwhile.

        ``is_cancelled``: a thread of a cancelled call does not wait; a coroutine is cancelled by its task.
        """
        name = f"{service}.{method}"
        id = next(self._ids) & _ID_MAX
        frame = Call(id, call_id, service, method, to_json(name, arguments), data)
        loop = running_loop()
        if loop is self.own_loop and pumps:
            loop = None
        if loop is not None:
            awaited = LoopAnswer(loop, lambda error: self._on_lost(call_id, name, error))
            self._waiting[id] = (call_id, awaited, decode)
            self._send(frame)
            if pumps:  # the loop is user code's own
                reader = threading.Thread(
                    target=self._channel.pump_for, args=(awaited,), name="kre-answer", daemon=True
                )
                reader.start()
            return Pending(awaited)
        place = ThreadAnswer()
        self._waiting[id] = (call_id, place, decode)
        # Asked after the answer has its place: a cancellation before that would not have found it.
        if is_cancelled():
            self._waiting.pop(id, None)
            raise TerminalError(CANCELLED)
        self._send(frame)
        if pumps:
            self._channel.pump_for(place)
        return cast(T, place.wait())

    def on_result(self, frame: CallResult) -> None:
        waiting = self._waiting.pop(frame.id, None)
        if waiting is None:
            return
        _, place, decode = waiting
        if frame.error:
            place.resolve(None, ServiceError(frame.error, frame.status_code))
            return
        try:
            value = decode(json.loads(frame.result) if frame.result else None, frame.data)
        except ValueError as error:
            place.resolve(None, ServiceError(f"the runner's answer is not JSON: {error}"))
            return
        place.resolve(value, None)

    def fail(self, error: BaseException, call_id: int | None = None) -> None:
        """Ends the waiting of one call, or of all."""
        for id, (owner, place, _) in list(self._waiting.items()):
            if call_id is None or owner == call_id:
                self._waiting.pop(id, None)
                place.resolve(None, error)

    def _send(self, frame: Call) -> None:
        try:
            self._channel.send(frame)
        except BaseException:
            self._waiting.pop(frame.id, None)
            raise


def to_json(method: str, arguments: Mapping[str, Any]) -> str:
    """Raises TerminalError for what JSON can't hold: other objects, NaN, infinities."""
    try:
        return json.dumps(arguments, default=_plain_or_refuse, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TerminalError(f"[ctx.{method}] this can't be written as JSON: {error}") from error


def _plain_or_refuse(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    plain = plain_value(value)
    if plain is value:
        raise TypeError(f"a {type(value).__name__} is no JSON value")
    return plain
