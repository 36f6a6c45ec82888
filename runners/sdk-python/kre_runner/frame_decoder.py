"""Cuts a byte stream into frames: uint32 big-endian, then the frame."""

from __future__ import annotations

from collections.abc import Iterator

from .frame_codec import decode_frame
from .worker_frame import Frame, WireError

FRAME_BYTES_MAX = 80 * 1024 * 1024
"""Largest frame. Above the 64 MiB that NATS carries at most, so a full message and its frame fit."""

_PREFIX_BYTES = 4


class FrameDecoder:
    """Takes the stream's pieces in order and gives the frames that are complete.

    A frame that lies in one piece is decoded in place. A frame that does not is collected in a buffer of its own
    size, which the caller can fill straight from the socket (``free``, ``filled``): no byte is copied twice.
    """

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._prefix = b""
        """The bytes of a prefix that is not complete."""
        self._body: bytearray | None = None
        self._have = 0

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Yields the frames that end in ``piece``; frames of unknown kinds are left out.

        Raises WireError when the bytes are no frames or a prefix announces more than the limit; the stream is
        then unusable.
        """
        pos = 0
        if self._body is not None:
            pos = min(len(piece), len(self._body) - self._have)
            self._body[self._have : self._have + pos] = piece[:pos]
            yield from self.filled(pos)
        elif self._prefix:
            piece = self._prefix + piece
            self._prefix = b""
        total = len(piece)
        while total - pos >= _PREFIX_BYTES:
            start = pos + _PREFIX_BYTES
            length = int.from_bytes(piece[pos:start], "big")
            if length > self._bytes_max:
                raise WireError(
                    f"a frame announces {length} bytes; at most {self._bytes_max} are taken"
                )
            pos = start + length
            if pos > total:
                self._body = bytearray(length)
                self._have = total - start
                self._body[: self._have] = piece[start:]
                return
            frame = decode_frame(piece, start, pos)
            if frame is not None:
                yield frame
        self._prefix = piece[pos:]

    @property
    def free(self) -> memoryview | None:
        """The part of a begun frame that is still to come; None between frames."""
        return None if self._body is None else memoryview(self._body)[self._have :]

    def filled(self, count: int) -> Iterator[Frame]:
        """Says that ``count`` bytes were written into ``free``; yields the frame when it is complete."""
        body = self._body
        self._have += count
        if body is None or self._have < len(body):
            return
        self._body = None
        frame = decode_frame(body)
        if frame is not None:
            yield frame
