"""An event loop whose tasks can begin at once.

Most handlers end without waiting for anything. Started by the loop's queue, each of them would cost a turn of the loop;
begun at once, many are handled in one. Python 3.12 has this as ``eager_start``; before, the step that a new task hands
to ``call_soon`` is caught and made right away.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, Callable


class EagerLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._is_catching = False
        self._caught: tuple[Callable[..., Any], Context | None] | None = None
        super().__init__()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that has run up to its first wait. Inside another task, before Python 3.12, one that runs soon."""
        if sys.version_info >= (3, 12):
            return asyncio.Task(coroutine, loop=self, eager_start=True)
        if asyncio.current_task(self) is not None:
            return self.create_task(coroutine)
        self._is_catching = True
        task = asyncio.Task(coroutine, loop=self)
        self._is_catching = False
        caught, self._caught = self._caught, None
        if caught is not None:
            step, context = caught
            if context is None:
                step()
            else:
                context.run(step)
        return task

    if sys.version_info < (3, 12):

        def call_soon(  # type: ignore[override]
            self, callback: Callable[..., Any], *args: Any, context: Context | None = None
        ) -> asyncio.Handle:
            if self._is_catching:
                self._is_catching = False
                self._caught = (callback, context)
                return asyncio.Handle(callback, args, self, context)
            return super().call_soon(callback, *args, context=context)
