from __future__ import annotations

import unittest

from kre_runner.frame_codec import encode_frame
from kre_runner.frame_decoder import FrameDecoder
from kre_runner.worker_frame import Done, Frame, Handle, Log, WireError

_FRAMES: list[Frame] = [
    Log(1, "INFO", "a"),
    Handle(call_id=2, value=bytes(range(256)) * 8),
    Done(0),
    Done(3),
]
_STREAM = b"".join(part for frame in _FRAMES for part in encode_frame(frame))


class Pieces(unittest.TestCase):
    def test_of_any_size_give_the_frames(self) -> None:
        for size in (1, 2, 3, 5, 7, 1000, 10_000):
            with self.subTest(size):
                decoder = FrameDecoder()
                found: list[Frame] = []
                for at in range(0, len(_STREAM), size):
                    found += decoder.feed(_STREAM[at : at + size])
                self.assertEqual(found, _FRAMES)
                self.assertIsNone(decoder.free)

    def test_may_be_written_straight_into_a_begun_frame(self) -> None:
        decoder = FrameDecoder()
        whole = b"".join(encode_frame(_FRAMES[1]))
        found = list(decoder.feed(whole[:10]))
        rest = whole[10:]
        while decoder.free is not None:
            count = min(len(decoder.free), 100)
            decoder.free[:count] = rest[:count]
            rest = rest[count:]
            found += decoder.filled(count)
        self.assertEqual(found, [_FRAMES[1]])


class Limit(unittest.TestCase):
    def test_is_taken_and_one_byte_more_is_refused_before_it_arrives(self) -> None:
        decoder = FrameDecoder(bytes_max=10)
        self.assertEqual(list(decoder.feed((10).to_bytes(4, "big"))), [])
        with self.assertRaisesRegex(WireError, "announces 11 bytes; at most 10"):
            list(FrameDecoder(bytes_max=10).feed((11).to_bytes(4, "big")))
