"""Threads for sync handlers."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Callable

_Job = tuple[Callable[..., None], tuple[object, ...]]


class ThreadPool:
    """At most ``size`` threads, started when first needed.

    Not concurrent.futures': that one keeps the process alive until its threads end, and a handler in an endless loop
    never does. With one thread, ``init`` and all handlers share it, as libraries with thread-bound handles need it.
    """

    def __init__(self, size: int) -> None:
        self._size = max(1, size)
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0

    def submit(self, run: Callable[..., None], *arguments: object) -> None:
        """``run`` must not raise. For the loop's thread."""
        self._jobs.put((run, arguments))
        if not self._idle.acquire(blocking=False) and self._started < self._size:
            self._started += 1
            threading.Thread(
                target=self._work, name=f"kre-handler-{self._started}", daemon=True
            ).start()

    def _work(self) -> None:
        while True:
            run, arguments = self._jobs.get()
            run(*arguments)
            del run, arguments  # so that a waiting thread keeps nothing of the last call alive
            self._idle.release()
