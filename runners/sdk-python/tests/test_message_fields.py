from __future__ import annotations

import unittest
from datetime import datetime
from typing import Any

from google.protobuf.struct_pb2 import Struct

from kre_runner.handler_errors import TerminalError
from kre_runner.message_fields import fill_message, fill_struct, message_to_dict, struct_to_dict

from .protos import pb


def _filled(**values: Any) -> Any:
    message = pb.Rich()
    fill_message(message, values)
    return message


class ToDict(unittest.TestCase):
    def test_scalars_have_their_default_and_unset_messages_are_left_out(self) -> None:
        self.assertEqual(
            message_to_dict(pb.Rich()),
            {
                "id": 0,
                "score": 0.0,
                "is_new": False,
                "image": "",
                "color": 0,
                "points": [],
                "numbers": [],
            },
        )

    def test_values_are_plain(self) -> None:
        message = pb.Rich(
            id=2**60, image=b"\x00\xff", color=1, numbers=[1, 2], points=[pb.Point(x=1.5)]
        )
        message.point.y = 2
        message.when.FromJsonString("2024-01-31T12:00:00Z")
        message.more.update({"a": [1, 2.5, None, {"b": True}]})
        message.anything.Pack(pb.Point(x=1))
        self.assertEqual(
            message_to_dict(message),
            {
                "id": 2**60,
                "score": 0.0,
                "is_new": False,
                "image": "AP8=",
                "color": 1,
                "point": {"x": 0.0, "y": 2.0},
                "points": [{"x": 1.5, "y": 0.0}],
                "numbers": [1, 2],
                "when": "2024-01-31T12:00:00Z",
                "more": {"a": [1, 2.5, None, {"b": True}]},
                "anything": {"@type": "type.googleapis.com/demo.Point", "x": 1.0},
            },
        )

    def test_an_any_of_an_unknown_type_stays_type_and_bytes(self) -> None:
        message = pb.Rich()
        message.anything.type_url, message.anything.value = "type.googleapis.com/no.Such", b"a"
        self.assertEqual(
            message_to_dict(message)["anything"],
            {"@type": "type.googleapis.com/no.Such", "value": "YQ=="},
        )


class FromDict(unittest.TestCase):
    def test_what_came_out_goes_in_again(self) -> None:
        message = pb.Rich(
            id=7, score=0.5, is_new=True, image=b"a", color=1, numbers=[3], points=[pb.Point(x=1)]
        )
        message.when.FromJsonString("2024-01-31T12:00:00Z")
        message.more.update({"a": [None, {"b": 1}]})
        self.assertEqual(_filled(**message_to_dict(message)), message)

    def test_names_may_be_in_camel_case_enums_by_name_and_bytes_as_they_are(self) -> None:
        self.assertEqual(
            _filled(isNew=True, color="BLUE", image=bytearray(b"a"), id="7", score=1),
            pb.Rich(is_new=True, color=1, image=b"a", id=7, score=1),
        )

    def test_messages_may_be_given_as_messages_and_none_as_nothing(self) -> None:
        self.assertEqual(_filled(point=pb.Point(x=1), id=None), pb.Rich(point=pb.Point(x=1)))

    def test_an_empty_message_is_there(self) -> None:
        self.assertTrue(_filled(point={}).HasField("point"))

    def test_numpy_values_are_taken(self) -> None:
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed")
        got = _filled(
            numbers=numpy.array([1, 2]),
            score=numpy.float32(0.5),
            image=numpy.array([1, 2], "uint8"),
        )
        self.assertEqual(got, pb.Rich(numbers=[1, 2], score=0.5, image=b"\x01\x02"))
        struct = Struct()
        fill_struct(
            struct, {"a": numpy.array([[1.5]]), "b": numpy.int64(3), "c": numpy.bool_(True)}
        )
        self.assertEqual(struct_to_dict(struct), {"a": [[1.5]], "b": 3, "c": True})

    def test_wrong_values_name_field_and_reason(self) -> None:
        for values, text in (
            ({"id": 1.5}, 'field "id" of "demo.Rich" can\'t hold 1.5: it is an integer'),
            ({"id": "x"}, 'field "id" of "demo.Rich" can\'t hold \'x\''),
            ({"numbers": 1}, 'field "numbers" of "demo.Rich" can\'t hold 1'),
            ({"numbers": [2**40]}, 'field "numbers"'),
            ({"points": "ab"}, "it is a list"),
            ({"point": 1}, 'it is a message "demo.Point": give a dict of its fields'),
            ({"point": {"z": 1}}, 'message "demo.Point" has no field "z"; it has: x, y'),
            ({"color": "GREEN"}, 'enum "demo.Color" has no value "GREEN"'),
            ({"image": "!"}, "text for bytes is base64"),
            ({"is_new": 1}, "it is true or false"),
            ({"when": "noon"}, 'field "when"'),
            ({3: 1}, 'has no field "3"'),
        ):
            with self.subTest(values), self.assertRaises(TerminalError) as caught:
                fill_message(pb.Rich(), values)
            self.assertIn(text, str(caught.exception))


class Structs(unittest.TestCase):
    def test_hold_what_json_holds_and_a_little_more(self) -> None:
        struct = Struct()
        values = {
            "a": None,
            "b": True,
            "c": 1,
            "d": 2.5,
            "e": "x",
            "f": [],
            "g": {},
            "h": (1, {"i": 2}),
        }
        fill_struct(struct, {**values, "t": datetime(2024, 1, 31), "u": b"\x00"})
        expected = {**values, "h": [1, {"i": 2}], "t": "2024-01-31T00:00:00Z", "u": "AA=="}
        self.assertEqual(struct_to_dict(struct), expected)

    def test_refuse_what_they_would_change(self) -> None:
        for values, text in (
            ({"a": {"b": [2**53 + 1]}}, 'the integer 9007199254740993 at "b[0]" is above 2^53'),
            ({"a": object()}, 'a object at "a" has no place in a google.protobuf.Struct'),
            ({1: 2}, "the keys of an output are strings; 1 is a int"),
        ):
            with self.subTest(text), self.assertRaises(TerminalError) as caught:
                fill_struct(Struct(), values)
            self.assertIn(text, str(caught.exception))
