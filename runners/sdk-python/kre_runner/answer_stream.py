"""``ctx.stream``: the caller's side of an rpc that returns a stream."""

from __future__ import annotations

from typing import Callable

from .call_port import Answer, CallPort
from .context_services import nothing
from .message_types import Payload


class AnswerStream:
    def __init__(self, call: CallPort, encode: Callable[[object], Payload]) -> None:
        self._call = call
        self._encode = encode

    def write(self, message: object) -> Answer[None]:
        """Sends a message straight to the caller, from any node of the workflow; done when the caller has room for it.

        Await it in an async handler; in a sync one it returns then. ``message``: a protobuf message of the rpc's
        answer, an Any with one, or a dict of its fields.

        Raises ServiceError when the rpc returns no stream, or messages of another type, and when the caller has gone.
        """
        return send_to_stream(self._call, "write", self._encode(message))


def send_to_stream(call: CallPort, method: str, payload: Payload) -> Answer[None]:
    type_url, value = payload
    return call.service("stream", method, {"typeUrl": type_url}, value, nothing)
