"""``ctx.prediction``: what the model said and what was true, for the metrics of a version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .call_port import Answer, CallPort
from .context_services import nothing
from .handler_errors import TerminalError


class Prediction:
    ERR_MISSING_VALUES = "missing_values"
    ERR_NEW_LABELS = "new_labels"
    PREDICTION_ERRORS = (ERR_MISSING_VALUES, ERR_NEW_LABELS)

    def __init__(self, call: CallPort) -> None:
        self._call = call

    def save(
        self,
        predicted_value: str = "",
        true_value: str = "",
        extra: Mapping[str, Any] | None = None,
        utcdate: datetime | str | None = None,
        error: str = "",
        date: datetime | str | None = None,
    ) -> Answer[None]:
        """Both values are non-empty strings unless ``error`` is set.

        ``utcdate``: a datetime in UTC or without a zone, or text such as ``2024-01-31T12:00:00.000000Z``; now when
        left out. ``date`` is its name of KRE 0.x. Raises TerminalError for anything else.
        """
        if error:
            if error not in self.PREDICTION_ERRORS:
                raise TerminalError(
                    f"[ctx.prediction.save] invalid value for metric error {error} "
                    f"should be one of '{','.join(self.PREDICTION_ERRORS)}'"
                )
        else:
            for name, value in (("predicted_value", predicted_value), ("true_value", true_value)):
                if not isinstance(value, str) or value == "":
                    raise TerminalError(
                        f"[ctx.prediction.save] invalid '{name}'='{value}', must be a nonempty string"
                    )
        arguments = {
            "date": to_rfc3339(utcdate or date or datetime.now(timezone.utc)),
            "error": error or "",
            "predictedValue": str(predicted_value),
            "trueValue": str(true_value),
            "extra": extra,
        }
        return self._call.service("prediction", "save", arguments, b"", nothing)

    def save_error(
        self,
        error: str,
        extra: Mapping[str, Any] | None = None,
        utcdate: datetime | str | None = None,
    ) -> Answer[None]:
        """A prediction that could not be made: ``missing_values`` or ``new_labels``."""
        if not error:
            raise TerminalError(
                f"[ctx.prediction.save_error] error is one of '{','.join(self.PREDICTION_ERRORS)}'"
            )
        return self.save(extra=extra, utcdate=utcdate, error=error)


def to_rfc3339(date: datetime | str) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ``. Raises TerminalError for what is no time in UTC."""
    parsed = _parse(date) if isinstance(date, str) else date
    if not isinstance(parsed, datetime):
        raise TerminalError(
            f"[ctx.prediction.save] a date is a datetime; this is a {type(date).__name__}"
        )
    offset = parsed.utcoffset()
    if offset is not None and offset.total_seconds() != 0:
        raise TerminalError(
            f"[ctx.prediction.save] Input date must be a UTC datetime; {date} is not"
        )
    return parsed.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _parse(date: str) -> datetime:
    for form in ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(date, form)
        except ValueError:
            continue
    raise TerminalError(
        f"[ctx.prediction.save] invalid 'date'='{date}', must be a RFC 3339 date like: 2020-04-06T09:02:09.277853Z"
    )
