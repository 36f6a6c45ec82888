from __future__ import annotations

import unittest
from datetime import datetime, timedelta, timezone
from typing import Any

from kre_runner import TerminalError
from kre_runner.prediction import Prediction, to_rfc3339


class _Call:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def service(self, service: str, method: str, arguments: Any, *_: Any) -> None:
        self.sent.append((service, method, arguments))


class Dates(unittest.TestCase):
    def test_have_microseconds_and_are_in_utc(self) -> None:
        moment = datetime(2020, 4, 6, 9, 2, 9, 277853)
        for given in (
            moment,
            moment.replace(tzinfo=timezone.utc),
            moment.replace(tzinfo=timezone(timedelta(0))),
            "2020-04-06T09:02:09.277853Z",
        ):
            with self.subTest(given):
                self.assertEqual(to_rfc3339(given), "2020-04-06T09:02:09.277853Z")
        self.assertEqual(to_rfc3339("2020-04-07T00:00:00Z"), "2020-04-07T00:00:00.000000Z")
        self.assertEqual(to_rfc3339(datetime(7, 1, 1)), "0007-01-01T00:00:00.000000Z")

    def test_of_another_zone_or_form_are_refused(self) -> None:
        for given, text in (
            (
                datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=1))),
                "Input date must be a UTC datetime",
            ),
            ("2020-04-06", "must be a RFC 3339 date"),
            ("2020-04-06T09:02:09+01:00", "must be a RFC 3339 date"),
            (5, "a date is a datetime; this is a int"),
        ):
            with self.subTest(given), self.assertRaisesRegex(TerminalError, text):
                to_rfc3339(given)  # type: ignore[arg-type]


class Predictions(unittest.TestCase):
    def setUp(self) -> None:
        self.call = _Call()
        self.prediction: Any = Prediction(self.call)  # type: ignore[arg-type]

    def test_are_sent_with_all_their_fields(self) -> None:
        self.prediction.save("a", "b", extra={"k": 1}, utcdate=datetime(2020, 1, 1))
        expected = {
            "date": "2020-01-01T00:00:00.000000Z",
            "error": "",
            "predictedValue": "a",
            "trueValue": "b",
            "extra": {"k": 1},
        }
        self.assertEqual(self.call.sent, [("prediction", "save", expected)])

    def test_have_the_date_of_now_when_none_is_given(self) -> None:
        before = datetime.now(timezone.utc)
        self.prediction.save("a", "b")
        sent = self.call.sent[0][2]["date"]
        self.assertLessEqual(to_rfc3339(before), sent)

    def test_need_no_values_with_an_error(self) -> None:
        self.prediction.save(error=self.prediction.ERR_NEW_LABELS)
        self.prediction.save_error("missing_values")
        self.assertEqual(
            [sent[2]["error"] for sent in self.call.sent], ["new_labels", "missing_values"]
        )
        self.assertEqual(self.call.sent[0][2]["predictedValue"], "")

    def test_are_refused_without_values_or_with_an_unknown_error(self) -> None:
        for given in (
            {},
            {"predicted_value": "a"},
            {"predicted_value": 1, "true_value": "b"},
            {"error": "other"},
        ):
            with (
                self.subTest(given),
                self.assertRaisesRegex(TerminalError, r"\[ctx\.prediction\.save\] invalid"),
            ):
                self.prediction.save(**given)
        self.assertEqual(self.call.sent, [])
