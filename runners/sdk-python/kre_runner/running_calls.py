"""Which calls run, where the runner sees it after this process has died (``Init.running_file``)."""

from __future__ import annotations

import mmap
from typing import Union

RunningCalls = Union["memoryview[int]", list[int]]
"""Call id by slot; 0 = free. Writing one costs as much as writing into a list."""

_SLOT_BYTES = 4


def open_running_calls(path: str, slots: int) -> RunningCalls:
    """``path`` empty: nobody looks."""
    if path == "":
        return [0] * slots
    with open(path, "r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), slots * _SLOT_BYTES)).cast("I")
