from __future__ import annotations

import base64
import json
import random
import re
import unittest
from pathlib import Path
from typing import Any

from kre_runner import worker_frame
from kre_runner.frame_codec import decode_frame, encode_frame
from kre_runner.worker_frame import (
    FRAME_KINDS,
    Frame,
    Handle,
    Log,
    WireError,
    layout_of,
)

_WIRE = Path(__file__).resolve().parents[2] / "wire"


def _bytes_of(frame: Frame) -> bytes:
    whole = b"".join(encode_frame(frame))
    assert int.from_bytes(whole[:4], "big") == len(whole) - 4
    return whole[4:]


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter.group().lower(), name)


class Fixtures(unittest.TestCase):
    files = sorted((_WIRE / "fixtures").glob("worker-*.bin"))

    def test_each_has_the_meaning_of_its_bytes_in_both_directions(self) -> None:
        self.assertGreater(len(self.files), len(FRAME_KINDS))
        for file in self.files:
            with self.subTest(file.stem):
                expected = self._frame(
                    json.loads(file.with_suffix(".json").read_text("utf-8"))["frame"]
                )
                self.assertEqual(decode_frame(file.read_bytes()), expected)
                self.assertEqual(_bytes_of(expected), file.read_bytes())

    def test_every_kind_of_frame_has_one(self) -> None:
        self.assertEqual(
            {type(decode_frame(file.read_bytes())) for file in self.files}, set(FRAME_KINDS)
        )

    def _frame(self, meaning: dict[str, dict[str, Any]]) -> Frame:
        ((name, given),) = meaning.items()
        kind = getattr(worker_frame, name[0].upper() + name[1:])
        types = {key: field_type for key, (_, field_type) in layout_of(kind).items()}
        values = {_snake(key): value for key, value in given.items()}
        return kind(
            **{
                key: base64.b64decode(value) if types[key] == "bytes" else value
                for key, value in values.items()
            }
        )


class Layout(unittest.TestCase):
    def test_is_that_of_worker_proto(self) -> None:
        proto = (_WIRE / "worker.proto").read_text("utf-8")
        tags = {kind: int(tag) for kind, tag in re.findall(r"^    (\w+) \w+ = (\d+);", proto, re.M)}
        for kind in FRAME_KINDS:
            with self.subTest(kind.__name__):
                self.assertEqual(kind.TAG, tags.pop(kind.__name__))
                (body,) = re.findall(rf"^message {kind.__name__} {{(.*?)}}", proto, re.M | re.S)
                fields = re.findall(r"^  (\w+|map<string, string>) (\w+) = (\d+);", body, re.M)
                types = {"uint32": "uint", "uint64": "uint", "map<string, string>": "map"}
                expected = {
                    name: (int(number), types.get(kind_, kind_)) for kind_, name, number in fields
                }
                self.assertEqual(layout_of(kind), expected)
        self.assertEqual(tags, {})


class Decoding(unittest.TestCase):
    def test_a_frame_of_a_kind_from_the_future_is_none(self) -> None:
        self.assertIsNone(decode_frame(bytes((0xA2, 0x06, 0x00))))

    def test_fields_from_the_future_are_skipped(self) -> None:
        known = _bytes_of(Log(1, "INFO", "hello"))
        unknown = bytes((0xF8, 0x01, 0x05, 0xFA, 0x01, 0x01, 0x61))  # number 31: a varint, and text
        body = known[2:] + unknown
        self.assertEqual(decode_frame(bytes((known[0], len(body))) + body), Log(1, "INFO", "hello"))

    def test_every_truncation_is_refused(self) -> None:
        whole = _bytes_of(Handle(300, "r", "etl", 1, "t/a.B", b"value", metadata={"a": "b"}))
        for length in range(1, len(whole)):
            with self.subTest(length), self.assertRaises(WireError):
                decode_frame(whole[:length])

    def test_a_truncated_frame_is_refused_when_other_bytes_follow(self) -> None:
        whole = _bytes_of(Log(1, "INFO", "hello"))
        with self.assertRaises(WireError):
            decode_frame(whole + whole, 0, len(whole) - 2)

    def test_text_that_is_not_utf_8_is_refused(self) -> None:
        whole = _bytes_of(Log(1, "INFO", "hello")).replace(b"hello", b"\xff\xff\xff\xff\xff")
        with self.assertRaises(WireError):
            decode_frame(whole)

    def test_random_bytes_give_a_frame_or_a_wire_error(self) -> None:
        source = random.Random(7)
        for _ in range(5_000):
            data = bytes((source.choice((0x0A, 0x52, 0x42)),)) + source.randbytes(
                source.randrange(40)
            )
            try:
                decode_frame(data)
            except WireError:
                continue

    def test_bytes_are_a_view_and_no_copy(self) -> None:
        whole = _bytes_of(Handle(value=b"x" * 20_000))
        frame = decode_frame(whole)
        assert isinstance(frame, Handle) and isinstance(frame.value, memoryview)
        self.assertIs(frame.value.obj, whole)
        self.assertTrue(frame.value.readonly)

    def test_a_message_with_fields_of_a_newer_runner_is_read_without_them(self) -> None:
        whole = bytearray(_bytes_of(Handle(call_id=3, value=b"x")))
        whole += b"\xfa\x06\x02hi"  # field 111
        whole[1] += 5
        self.assertEqual(decode_frame(bytes(whole)), Handle(call_id=3, value=b"x"))


class Encoding(unittest.TestCase):
    def test_large_bytes_stay_a_buffer_of_their_own(self) -> None:
        value = b"x" * 100_000
        parts = encode_frame(Handle(call_id=1, value=value, error="after"))
        self.assertTrue(any(part is value for part in parts))
        self.assertEqual(
            decode_frame(b"".join(parts)[4:]), Handle(call_id=1, value=value, error="after")
        )

    def test_a_lone_surrogate_is_replaced(self) -> None:
        frame = decode_frame(_bytes_of(Log(1, "INFO", "a\ud800b")))
        assert isinstance(frame, Log)
        self.assertEqual(frame.text, "a?b")

    def test_a_negative_number_is_refused(self) -> None:
        with self.assertRaisesRegex(WireError, "-1, which is no unsigned integer"):
            encode_frame(Log(-1))

    def test_the_largest_numbers_survive(self) -> None:
        frame = Handle(call_id=2**32 - 1, deadline_unix_ms=2**64 - 1)
        self.assertEqual(decode_frame(_bytes_of(frame)), frame)

    def test_frames_do_not_share_their_maps(self) -> None:
        self.assertIsNot(Handle().metadata, Handle().metadata)
