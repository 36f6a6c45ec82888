"""Worker frames over one socket. Any thread may send; one thread, that of the event loop, receives."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Callable, Protocol

from .frame_codec import encode_frame, frame_bytes
from .frame_decoder import FRAME_BYTES_MAX, FrameDecoder
from .handler_errors import LimitError
from .worker_frame import Buffer, Frame, WireError

_RECEIVE_BYTES = 64 * 1024
_JOIN_BYTES = 64 * 1024
"""Below this size one copy is cheaper than a system call with many buffers."""
_BUFFERS_PER_CALL = 64
_QUEUE_BYTES_MARK = 1024 * 1024
"""Who sends more than this without the runner taking it has to wait."""
_GATHERED_BYTES_MAX = 64 * 1024
_GATHERED_SECONDS_MAX = 0.001
"""Frames that may wait for others wait no longer, and are no more: a write wakes the runner, which costs more than
most frames."""


_TURN_SECONDS = 0.002


class ThreadAnswer(Protocol):
    is_there: bool


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
        self._received = bytearray(_RECEIVE_BYTES)
        self._lock = threading.Lock()
        self._reading = threading.RLock()
        self._queue: deque[Buffer] = deque()
        self._queue_bytes = 0
        self._is_over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_watching = False
        self._oldest = 0.0
        """Since when something waits to be sent, on the clock of ``perf_counter``."""
        self._last_write = 0.0
        self._sent = 0
        """Frames; what ``flush_soon`` compares."""
        self._sent_before = 0
        self._late = _LateFlush(self.flush)
        self._flush_is_due = False
        self._drained: list[asyncio.Future[None]] = []

    # --- sending --------------------------------------------------------------------------------

    def send(self, frame: Frame, *, flush: bool = True) -> None:
        """Queues a frame, behind those before it, and sends what the socket takes.

        The frame's byte fields must not change afterwards. ``flush=False`` leaves it to ``flush``, ``flush_if_due`` or
        ``flush_soon``, so that several frames go out in one system call.
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
            if not self._queue:
                self._oldest = time.perf_counter()
            self._queue.extend(parts)
            self._queue_bytes += size + 4
            self._sent += 1
            if flush or self._queue_bytes > _GATHERED_BYTES_MAX:
                self._write()

    def send_log(self, frame: Frame) -> None:
        """The first line of a millisecond at once, others of it together at its end."""
        is_early = time.perf_counter() - self._last_write < _GATHERED_SECONDS_MAX
        self.send(frame, flush=not is_early)
        if is_early:
            self._late.arm()

    def flush(self) -> None:
        with self._lock:
            self._flush_is_due = False
            if not self._is_over:
                self._write()

    def flush_if_due(self) -> None:
        """Sends what has waited for long enough."""
        if self._queue and time.perf_counter() - self._oldest > _GATHERED_SECONDS_MAX:
            self.flush()

    def flush_soon(self) -> None:
        """Sends the queue when no more frames come, or after a millisecond. For the loop's thread."""
        if not self._flush_is_due and self._loop is not None:
            self._flush_is_due = True
            self._sent_before = self._sent
            self._loop.call_soon(self._flush_when_quiet)

    def _flush_when_quiet(self) -> None:
        if not self._flush_is_due or self._loop is None:
            return
        is_quiet = self._sent == self._sent_before
        if is_quiet or time.perf_counter() - self._oldest > _GATHERED_SECONDS_MAX:
            self.flush()
            return
        self._sent_before = self._sent
        self._loop.call_soon(self._flush_when_quiet)

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

    def detach(self) -> None:
        """From now on, ``pump`` receives."""
        if self._loop is not None and not self._is_over:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._is_watching = False
        self._loop = None

    def pump(self) -> None:
        """Sends, waits for the next frames and handles them, where no event loop does."""
        self.flush()
        with self._reading:
            if not self._is_over:
                self._wait_for(select.POLLIN | (select.POLLOUT if self._queue else 0))
                self._receive()

    def pump_for(self, answer: ThreadAnswer) -> None:
        """``pump`` until the answer is there. Threads take turns: who reads handles the frames of all."""
        while not answer.is_there:
            if not self._reading.acquire(timeout=_TURN_SECONDS):
                continue
            try:
                if not answer.is_there:
                    self.pump()
            finally:
                self._reading.release()
            time.sleep(0)  # so that another thread gets its turn

    def poll(self) -> None:
        """Handles the frames that are there, and waits for none."""
        if self._reading.acquire(blocking=False):
            try:
                if not self._is_over:
                    self._receive()
            finally:
                self._reading.release()

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
            count = self._socket.recv_into(self._received)
            # One small copy, so that the buffer can be filled again while the messages live on.
            frames = self._decoder.feed(bytes(memoryview(self._received)[:count]))
        if count == 0:
            self._end(None)
        return frames

    def _write(self) -> None:
        """Sends as much as the socket takes. The lock is held."""
        self._last_write = time.perf_counter()
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


class _LateFlush:
    """Flushes a millisecond after it was armed, also while a handler keeps the other threads busy."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._armed = threading.Event()
        self._is_started = False

    def arm(self) -> None:
        if self._armed.is_set():
            return
        self._armed.set()
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._work, name="kre-late-flush", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._armed.wait()
            time.sleep(_GATHERED_SECONDS_MAX)
            self._armed.clear()
            self._flush()
