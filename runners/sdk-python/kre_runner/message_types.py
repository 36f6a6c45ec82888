"""The bundle's message types: bytes to messages and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, EncodeError, Message

from .handler_errors import PayloadError, TerminalError
from .message_fields import fill_message, fill_struct, message_to_dict, struct_to_dict
from .worker_frame import Buffer

TYPE_URL_PREFIX = "type.googleapis.com/"
STRUCT = "google.protobuf.Struct"

Payload = tuple[str, Buffer]
"""Type URL and bytes of a message."""


class MessageTypes:
    """``read_descriptor_set`` gives the serialized FileDescriptorSet of the bundle; it is called when first needed.

    Classes that the handler imported from its ``*_pb2`` modules are preferred, so that user code and this one mean
    the same class by the same name.
    """

    def __init__(self, read_descriptor_set: Callable[[], Buffer]) -> None:
        self._read_descriptor_set = read_descriptor_set
        self._pool: descriptor_pool.DescriptorPool | None = None
        self._classes: dict[str, type[Message]] = {}

    def class_of(self, type_name: str) -> type[Message]:
        """Raises TerminalError when the bundle has no such message type."""
        known = self._classes.get(type_name)
        if known is None:
            known = self._find_class(type_name)
            self._classes[type_name] = known
        return known

    def decode(self, payload: Payload, wanted: type[Message] | None = None) -> Message:
        """The payload as ``wanted``, or as the type that it names.

        Raises PayloadError when it is of another type or its bytes are malformed.
        """
        name = type_name_of(payload[0])
        if wanted is None:
            if name == "":
                raise PayloadError("the message has no payload")
            wanted = self.class_of(name)
        message = wanted()
        parse_payload(payload, message)
        return message

    def to_dict(self, payload: Payload) -> dict[str, Any]:
        """The message as plain values, as E0 and E1 handlers get it; an absent payload is an empty dict."""
        if payload[0] == "" and len(payload[1]) == 0:
            return {}
        if type_name_of(payload[0]) == STRUCT:
            return struct_to_dict(cast(struct_pb2.Struct, self.decode(payload, struct_pb2.Struct)))
        return message_to_dict(self.decode(payload))

    def encode(self, message: object, plain_type: str) -> Payload:
        """A protobuf message, an Any (as it is) or a dict with the fields of ``plain_type``.

        Raises TerminalError that says what is wrong with the message.
        """
        if isinstance(message, AnyMessage):
            return message.type_url, message.value
        if isinstance(message, Message):
            return pack(message)
        if isinstance(message, Mapping):
            if plain_type in ("", STRUCT):
                struct = struct_pb2.Struct()
                fill_struct(struct, message)
                return pack(struct)
            filled = self.class_of(plain_type)()
            fill_message(filled, message)
            return pack(filled)
        raise TerminalError(
            f"an output is a protobuf message, a google.protobuf.Any or a dict; this is a {type(message).__name__}"
        )

    def _find_class(self, type_name: str) -> type[Message]:
        for open_pool in (descriptor_pool.Default, self._bundle_pool):
            try:
                found = open_pool().FindMessageTypeByName(type_name)
            except KeyError:
                continue
            return _class_from(found)
        raise TerminalError(
            f'message type "{type_name}" is not in the bundle\'s protos: '
            "use a type of the .proto files, or add it to them"
        )

    def _bundle_pool(self) -> descriptor_pool.DescriptorPool:
        if self._pool is None:
            self._pool = descriptor_pool.DescriptorPool()
            files = descriptor_pb2.FileDescriptorSet.FromString(bytes(self._read_descriptor_set()))
            for file in files.file:
                self._pool.AddSerializedFile(file.SerializeToString())
        return self._pool


def type_name_of(type_url: str) -> str:
    return type_url.rpartition("/")[2]


def pack(message: Message) -> Payload:
    """Raises TerminalError for a message that lacks a required field."""
    try:
        return TYPE_URL_PREFIX + message.DESCRIPTOR.full_name, message.SerializeToString()
    except EncodeError as error:
        raise TerminalError(
            f'the output is no valid "{message.DESCRIPTOR.full_name}": {error}'
        ) from error


def parse_payload(payload: Payload, message: Message) -> None:
    """Replaces ``message`` by the payload. Raises PayloadError when it is of another type or malformed."""
    type_url, value = payload
    actual = type_name_of(type_url)
    wanted = message.DESCRIPTOR.full_name
    if actual == "":
        raise PayloadError(f'the message has no payload, a "{wanted}" was expected')
    if actual != wanted:
        raise PayloadError(f'the payload is a "{actual}", not a "{wanted}"')
    try:
        message.ParseFromString(value if isinstance(value, bytes) else bytes(value))
    except DecodeError as error:
        raise PayloadError(
            f'the payload\'s bytes are not a "{actual}": {error}', malformed=True
        ) from error


def _class_from(descriptor: Any) -> type[Message]:
    factory: Any = message_factory
    if hasattr(factory, "GetMessageClass"):
        return cast(type[Message], factory.GetMessageClass(descriptor))
    # protobuf 3.20 and 3.21, as Linux distributions ship them
    return cast(
        type[Message], factory.MessageFactory(descriptor.file.pool).GetPrototype(descriptor)
    )
