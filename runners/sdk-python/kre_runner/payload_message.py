"""What a handler gets as ``data``: a real ``google.protobuf.Any`` that does not unpack into a wrong type, or a dict."""

from __future__ import annotations

from typing import Any, Callable, Protocol

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.internal import well_known_types
from google.protobuf.message import Message

from .handler_errors import PayloadError
from .message_types import MessageTypes, Payload, parse_payload, type_name_of

_MIXIN: Any = well_known_types.Any
"""Where every implementation of protobuf takes the methods of its Any class from."""


class Source(Protocol):
    """The message that a payload came with."""

    @property
    def is_error(self) -> bool: ...
    @property
    def error(self) -> str: ...
    @property
    def payload(self) -> Payload: ...


def unpack_source(source: Source, message: Message) -> bool:
    """Replaces ``message`` by the payload and returns True.

    Raises PayloadError when the payload is of another type, malformed, or absent because the message is an error.
    KRE left the message empty then, and the caller got a default answer that looked fine.
    """
    if source.is_error and source.payload[0] == "":
        raise no_payload_of_error(source.error)
    parse_payload(source.payload, message)
    return True


def no_payload_of_error(text: str) -> PayloadError:
    return PayloadError(
        f"the message is an error and has no payload: {text}. Test ctx.is_message_error() first"
    )


class StrictUnpack:
    """Makes ``Unpack`` raise for the messages handed to handlers, and for no other Any.

    Classes of protobuf messages can't be derived from, and a proxy would be refused by ``CopyFrom`` and
    ``isinstance``. So handlers get a real Any, and the Unpack that protobuf mixes into its Any class asks this
    registry first. An Any is registered while its call lasts; all others unpack as protobuf does.
    """

    def __init__(self) -> None:
        # By identity: an Any is neither hashable nor weakly referable. The entry keeps it alive, so that its id
        # stays its own.
        self._handed: dict[int, Any] = {}
        self._original: Callable[[Any, Message], bool] | None = None

    def install(self) -> None:
        handed = self._handed
        original = _MIXIN.Unpack

        def unpack(self: Any, msg: Message) -> bool:
            entry = handed.get(id(self))
            if entry is None:
                return bool(original(self, msg))
            return unpack_source(entry[1], msg)

        self._original = original
        _MIXIN.Unpack = unpack

    def uninstall(self) -> None:
        if self._original is not None:
            _MIXIN.Unpack = self._original
            self._original = None

    def make(self, source: Source) -> AnyMessage:
        """An Any with the payload of ``source``; give it back with ``release``."""
        type_url, value = source.payload
        message = AnyMessage(
            type_url=type_url, value=value if isinstance(value, bytes) else bytes(value)
        )
        self._handed[id(message)] = (message, source)
        return message

    def release(self, message: object) -> None:
        self._handed.pop(id(message), None)


class PayloadDict(dict[str, Any]):
    """A message as a dict, for the handlers of E0 and E1, which also knows what an Any knows."""

    def __init__(self, source: Source, types: MessageTypes) -> None:
        super().__init__(types.to_dict(source.payload))
        self._source = source
        self._types = types

    @property
    def type_url(self) -> str:
        return self._source.payload[0]

    @property
    def value(self) -> bytes:
        return bytes(self._source.payload[1])

    def TypeName(self) -> str:  # noqa: N802 - protobuf's name
        return type_name_of(self.type_url)

    def Is(self, descriptor: Any) -> bool:  # noqa: N802
        return bool(self.TypeName() == descriptor.full_name)

    def Unpack(self, msg: Message) -> bool:  # noqa: N802
        """Raises PayloadError, see ``unpack_source``."""
        return unpack_source(self._source, msg)

    def unchanged_payload(self) -> Payload | None:
        """The payload when the dict still says the same, so that a message can be passed on as it came."""
        return self._source.payload if self._types.to_dict(self._source.payload) == self else None
