"""Worker frames over one socket. Any thread may send; one thread, that of the event loop, receives."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from collections import deque
from collections.abc import Iterator
from typing import Callable

from .frame_decoder import FRAME_BYTES_MAX, FrameDecoder
from .handler_errors import LimitError
from .worker_frame import Buffer, Frame, WireError, encode_frame, frame_bytes

_RECEIVE_BYTES = 256 * 1024
_JOIN_BYTES = 64 * 1024
"""Below this size one copy is cheaper than a system call with many buffers."""
_BUFFERS_PER_CALL = 64
_QUEUE_BYTES_MARK = 1024 * 1024
"""Who sends more than this without the runner taking it has to wait."""


class FrameChannel:
    """``on_frame`` is called for each frame, ``on_end`` once: with the error, or with None when the runner closed."""

    def __init__(
        self,
        sock: socket.socket,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[Exception | None], None],
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._on_frame = on_frame
        self._on_end = on_end
        self._decoder = FrameDecoder()
        self._lock = threading.Lock()
        self._queue: deque[Buffer] = deque()
        self._queue_bytes = 0
        self._is_over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_watching = False
        self._flush_is_due = False
        self._drained: list[asyncio.Future[None]] = []

    # --- sending --------------------------------------------------------------------------------

    def send(self, frame: Frame, *, flush: bool = True) -> None:
        """Queues a frame, behind those before it, and sends what the socket takes.

        The frame's byte fields must not change afterwards. ``flush=False`` leaves it to ``flush`` or ``flush_soon``, so that several frames go out in one system call.
        Raises LimitError for a frame above FRAME_BYTES_MAX.
        """
        parts = encode_frame(frame)
        size = frame_bytes(parts)
        if size > FRAME_BYTES_MAX:
            raise LimitError(
                f"a message of {size} bytes can't be sent: at most {FRAME_BYTES_MAX} bytes fit a frame"
            )
        with self._lock:
            if self._is_over:
                return
            self._queue.extend(parts)
            self._queue_bytes += size + 4
            if flush:
                self._write()

    def flush(self) -> None:
        with self._lock:
            self._flush_is_due = False
            if not self._is_over:
                self._write()

    def flush_soon(self) -> None:
        """Sends the queue when the event loop comes to it. For the loop's thread."""
        if not self._flush_is_due and self._loop is not None:
            self._flush_is_due = True
            self._loop.call_soon(self.flush)

    @property
    def is_full(self) -> bool:
        """The runner takes less than is sent: wait before sending more."""
        return self._queue_bytes > _QUEUE_BYTES_MARK and not self._is_over

    def drained(self) -> asyncio.Future[None]:
        """Done when the channel is not full any more. For the loop's thread."""
        assert self._loop is not None
        future = self._loop.create_future()
        if self.is_full:
            self._drained.append(future)
        else:
            future.set_result(None)
        return future

    def wait_drained(self) -> None:
        """The same for a thread without an event loop, which meanwhile does the sending."""
        while self.is_full:
            self._wait_for(select.POLLOUT)
            self.flush()

    def flush_all(self) -> None:
        """Waits until the runner has taken everything or is gone; for the process's end."""
        while self._queue and not self._is_over:
            self._wait_for(select.POLLOUT)
            self.flush()

    # --- receiving ------------------------------------------------------------------------------

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on ``loop`` receives."""
        self._loop = loop
        loop.add_reader(self._socket, self._receive)

    def pump(self) -> None:
        """Waits for the next frames and handles them, where no event loop can: at start, and in a sync ``init``."""
        self._wait_for(select.POLLIN)
        self._receive()

    def close(self) -> None:
        self._end(None)

    def fileno(self) -> int:
        return self._socket.fileno()

    def _receive(self) -> None:
        try:
            for frame in self._read():
                self._on_frame(frame)
        except BlockingIOError:
            return  # readiness is a hint; the next one will come
        except (OSError, WireError) as error:
            self._end(error)
        if self._flush_is_due:
            self.flush()

    def _read(self) -> Iterator[Frame]:
        free = self._decoder.free
        if free is not None:
            count = self._socket.recv_into(free)
            frames = self._decoder.filled(count)
        else:
            piece = self._socket.recv(_RECEIVE_BYTES)
            count = len(piece)
            frames = self._decoder.feed(piece)
        if count == 0:
            self._end(None)
        return frames

    def _write(self) -> None:
        """Sends as much as the socket takes. The lock is held."""
        try:
            while self._queue:
                count, buffers = self._next_buffers()
                sent = (
                    self._socket.send(buffers[0]) if count == 1 else self._socket.sendmsg(buffers)
                )
                self._queue_bytes -= sent
                self._drop(sent)
        except BlockingIOError:
            self._watch()
        except OSError:
            # The runner is gone; reading says so, too, and ends the channel there.
            self._queue.clear()
            self._queue_bytes = 0

    def _next_buffers(self) -> tuple[int, list[Buffer]]:
        if len(self._queue) > 1 and self._queue_bytes <= _JOIN_BYTES:
            joined = b"".join(self._queue)
            self._queue.clear()
            self._queue.append(joined)
        count = min(len(self._queue), _BUFFERS_PER_CALL)
        return count, [self._queue[i] for i in range(count)]

    def _drop(self, sent: int) -> None:
        while self._queue and sent >= len(self._queue[0]):
            sent -= len(self._queue.popleft())
        if sent > 0:
            self._queue[0] = memoryview(self._queue[0])[sent:]

    def _watch(self) -> None:
        if self._loop is None or self._is_watching:
            return
        self._is_watching = True
        self._loop.call_soon_threadsafe(self._add_writer)

    def _add_writer(self) -> None:
        if not self._is_over and self._loop is not None:
            self._loop.add_writer(self._socket, self._on_writable)

    def _on_writable(self) -> None:
        self.flush()
        with self._lock:
            if not self._queue and self._loop is not None:
                self._loop.remove_writer(self._socket)
                self._is_watching = False
        self._wake_drained()

    def _wake_drained(self) -> None:
        if self.is_full:
            return
        waiting, self._drained = self._drained, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _wait_for(self, event: int) -> None:
        poll = select.poll()
        poll.register(self._socket, event)
        poll.poll()

    def _end(self, error: Exception | None) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            self._queue.clear()
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._socket.close()
        self._wake_drained()
        self._on_end(error)
