"""Ends the process when the runner is gone and user code does not let it end by itself."""

from __future__ import annotations

import os
import select
import threading
import time

_GRACE_SECONDS = 1.0
_EXIT_CODE = 70


def start_orphan_guard(fd: int) -> None:
    """Watches the socket ``fd`` from a thread of its own, since the event loop may be inside an endless handler."""
    watched = os.dup(fd)

    def watch() -> None:
        poll = select.poll()
        poll.register(watched, 0)  # hang-up and errors are always told
        poll.poll()
        time.sleep(_GRACE_SECONDS)
        os._exit(_EXIT_CODE)

    threading.Thread(target=watch, name="kre-orphan-guard", daemon=True).start()
