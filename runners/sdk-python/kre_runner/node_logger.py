"""``ctx.logger``: one logger per node, whose lines know the call that they belong to."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from contextvars import ContextVar
from typing import Callable

_TEXT_CHARS_MAX = 64 * 1024

current_call_id: ContextVar[int] = ContextVar("kre_call_id", default=0)
"""The call whose handler this thread or task works for; 0 = none. Tasks of a handler inherit it."""


def create_node_logger(node_name: str, write: Callable[[int, str, str], None]) -> logging.Logger:
    """``write`` gets call id, level (ERROR, WARN, INFO, DEBUG) and text of each line."""
    # Not of logging's tree: its levels and handlers are the user's.
    logger = logging.Logger(f"kre.{node_name}", logging.DEBUG)
    logger.propagate = False
    logger.addHandler(_FrameHandler(write))
    return logger


def install_last_resort() -> None:
    """Gives other loggers, where user code configures none, a format whose level the runner reads."""
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(formatter)
    logging.lastResort = handler


class _FrameHandler(logging.Handler):
    def __init__(self, write: Callable[[int, str, str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info:
                text = f"{text}\n{''.join(traceback.format_exception(*record.exc_info)).rstrip()}"
            if record.stack_info:
                text = f"{text}\n{record.stack_info}"
            self._write(current_call_id.get(), _level_name(record.levelno), text[:_TEXT_CHARS_MAX])
        except Exception:
            self.handleError(record)  # a wrong format string: logging's own report, on stderr


def _level_name(level: int) -> str:
    if level >= logging.ERROR:
        return "ERROR"
    if level >= logging.WARNING:
        return "WARN"
    return "INFO" if level >= logging.INFO else "DEBUG"
