"""Things that handlers may await or leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Callable


class Pending(Coroutine):  # type: ignore[type-arg]
    """An answer that is on its way.

    A coroutine by its interface, as KRE's were, so that ``asyncio.create_task`` and ``gather`` take it. Unlike one,
    it has already begun, and nobody has to await it.
    """

    def __init__(self, awaited: Awaitable[Any]) -> None:
        self._awaited = awaited
        self._steps: Generator[Any, None, Any] | None = None

    def __await__(self) -> Generator[Any, None, Any]:
        return self._awaited.__await__()

    def send(self, value: Any) -> Any:
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.throw(*error)

    def close(self) -> None:
        if self._steps is not None:
            self._steps.close()


class Nothing(Coroutine):  # type: ignore[type-arg]
    """What has already happened: awaiting it gives None at once."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from ()

    def send(self, value: Any) -> Any:
        raise StopIteration(None)

    def throw(self, *error: Any) -> Any:
        raise error[0]

    def close(self) -> None:
        return None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class LoopAnswer:
    """The place of an answer that a coroutine awaits. ``resolve`` may be called from any thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_lost: Callable[[BaseException], None]
    ) -> None:
        """``on_lost``: told, in the loop, of an error when the answer is dropped and nobody awaited it."""
        self._loop = loop
        self._on_lost = on_lost
        self._future: asyncio.Future[Any] = loop.create_future()
        self._is_awaited = False
        self.is_there = False
        self._lost_error: BaseException | None = None

    def __await__(self) -> Generator[Any, None, Any]:
        self._lost_error = None
        self._is_awaited = True
        return self._future.__await__()

    def resolve(self, value: Any, error: BaseException | None) -> None:
        self.is_there = True
        if self._loop is running_loop():
            self._set(value, error)
        else:
            self._loop.call_soon_threadsafe(self._set, value, error)

    def _set(self, value: Any, error: BaseException | None) -> None:
        if self._future.done():
            return
        if error is None:
            self._future.set_result(value)
            return
        self._future.set_exception(error)
        self._future.exception()  # seen: no complaint of asyncio beside ours
        if not self._is_awaited:
            self._lost_error = error

    def __del__(self) -> None:
        # Not told here: this may run at any moment, also inside the channel's own code.
        if self._lost_error is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_lost, self._lost_error)
