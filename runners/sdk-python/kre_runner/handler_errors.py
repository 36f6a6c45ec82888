"""What a handler raises to say whether trying again can help. Any other exception is terminal."""

from __future__ import annotations


class RetryableError(Exception):
    """The message is handled again, within the node's ``retries`` and the request's deadline.

    ``retry_after_ms``: milliseconds to wait before the next attempt; None = the node's ``retries.backoffMs``.
    """

    def __init__(self, text: str = "", retry_after_ms: int | None = None) -> None:
        super().__init__(text)
        self.retry_after_ms = retry_after_ms


class TerminalError(Exception):
    """The caller gets the error at once."""


class PayloadError(TerminalError):
    """A payload is of another type than asked for, or its bytes are not of its type.

    ``malformed``: the bytes themselves are at fault.
    """

    def __init__(self, text: str, malformed: bool = False) -> None:
        super().__init__(text)
        self.malformed = malformed


class LimitError(TerminalError):
    """What a handler sends is larger than a message can be."""


class ServiceError(TerminalError):
    """A service of the runner (db, stores, prediction, …) refused a call.

    ``status_code``: the runner's reason, as a google.rpc.Code; 0 = none given.
    """

    def __init__(self, text: str, status_code: int = 0) -> None:
        super().__init__(text)
        self.status_code = status_code
