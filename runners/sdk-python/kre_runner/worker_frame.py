"""The frames of ``runners/wire/worker.proto``, in both directions.

The layout is written once, as the fields of the dataclasses: decoder and encoder read it from there, and a test
compares it with the .proto file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Union

WORKER_PROTOCOL = 1
"""Version of the protocol, said in Hello."""

Buffer = Union[bytes, bytearray, memoryview]

# How a field's value is written. UINT and FLAG are varints, the others are length-delimited.
_UINT, _FLAG, _TEXT, _DATA, _MAP = range(5)
_WIRE_TYPE = {_UINT: 0, _FLAG: 0, _TEXT: 2, _DATA: 2, _MAP: 2}
_NO_DATA = memoryview(b"")

_LARGE_BYTES = 16 * 1024
"""From this size on, copying bytes into the frame costs more than another buffer in the system call."""


class WireError(Exception):
    """The bytes are not a frame, or a frame can't be written as bytes."""


def _uint(number: int) -> Any:
    return dataclasses.field(default=0, metadata={"number": number, "type": _UINT})


def _flag(number: int) -> Any:
    return dataclasses.field(default=False, metadata={"number": number, "type": _FLAG})


def _text(number: int) -> Any:
    return dataclasses.field(default="", metadata={"number": number, "type": _TEXT})


def _data(number: int) -> Any:
    return dataclasses.field(default=_NO_DATA, metadata={"number": number, "type": _DATA})


def _map(number: int) -> Any:
    return dataclasses.field(default_factory=dict, metadata={"number": number, "type": _MAP})


@dataclass
class Frame:
    """One message of the protocol. ``TAG`` is its number in ``Frame.kind``."""

    TAG: ClassVar[int] = 0


@dataclass
class Hello(Frame):
    TAG: ClassVar[int] = 1
    protocol: int = _uint(1)
    language: str = _text(2)


@dataclass
class Loaded(Frame):
    TAG: ClassVar[int] = 14


@dataclass
class InitDone(Frame):
    TAG: ClassVar[int] = 2
    handles_errors: bool = _flag(1)


@dataclass
class InitFailed(Frame):
    TAG: ClassVar[int] = 3
    text: str = _text(1)
    stack: str = _text(2)


@dataclass
class Output(Frame):
    TAG: ClassVar[int] = 4
    call_id: int = _uint(1)
    message_type: int = _uint(2)
    channel: str = _text(3)
    type_url: str = _text(4)
    value: Buffer = _data(5)
    error: str = _text(6)


@dataclass
class Call(Frame):
    TAG: ClassVar[int] = 5
    id: int = _uint(1)
    call_id: int = _uint(2)
    service: str = _text(3)
    method: str = _text(4)
    arguments: str = _text(5)
    data: Buffer = _data(6)


@dataclass
class Done(Frame):
    TAG: ClassVar[int] = 6
    call_id: int = _uint(1)


@dataclass
class Failed(Frame):
    TAG: ClassVar[int] = 7
    call_id: int = _uint(1)
    text: str = _text(2)
    stack: str = _text(3)
    retryable: bool = _flag(4)
    retry_after_ms: int = _uint(5)
    status_code: int = _uint(6)


@dataclass
class Log(Frame):
    TAG: ClassVar[int] = 8
    call_id: int = _uint(1)
    level: str = _text(2)
    text: str = _text(3)


@dataclass
class Init(Frame):
    TAG: ClassVar[int] = 9
    base_path: str = _text(1)
    handler_path: str = _text(2)
    node: str = _text(3)
    node_name: str = _text(4)
    workflow: str = _text(5)
    version: str = _text(6)
    version_id: str = _text(7)
    runtime_id: str = _text(8)
    concurrency: int = _uint(9)
    is_exitpoint: bool = _flag(10)
    request_type: str = _text(11)
    response_type: str = _text(12)
    descriptor_set: Buffer = _data(13)
    config: dict[str, str] = _map(14)
    object_store: bool = _flag(15)
    is_first: bool = _flag(16)


@dataclass
class Handle(Frame):
    TAG: ClassVar[int] = 10
    call_id: int = _uint(1)
    request_id: str = _text(2)
    from_node: str = _text(3)
    message_type: int = _uint(4)
    type_url: str = _text(5)
    value: Buffer = _data(6)
    error: str = _text(7)
    deadline_unix_ms: int = _uint(8)
    attempt: int = _uint(9)
    metadata: dict[str, str] = _map(10)


@dataclass
class CallResult(Frame):
    TAG: ClassVar[int] = 11
    id: int = _uint(1)
    error: str = _text(2)
    result: str = _text(3)
    data: Buffer = _data(4)
    status_code: int = _uint(5)


@dataclass
class Cancel(Frame):
    TAG: ClassVar[int] = 12
    call_id: int = _uint(1)


@dataclass
class Drain(Frame):
    TAG: ClassVar[int] = 13


FRAME_KINDS: tuple[type[Frame], ...] = (
    Hello, InitDone, InitFailed, Output, Call, Done, Failed, Log, Init, Handle, CallResult, Cancel, Drain,
    Loaded,
)  # fmt: skip


def decode_frame(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Frame | None:
    """Reads ``data[start:end]``, one frame without its length prefix.

    Fields and kinds of frames that this side does not know are skipped; a frame of an unknown kind is None.
    Byte fields are views into ``data``: nothing is copied.

    Raises WireError when the bytes are not a frame.
    """
    stop = len(data) if end is None else end
    frame: Frame | None = None
    pos = start
    try:
        while pos < stop:
            tag, pos = _read_varint(data, pos)
            kind = _KIND_BY_TAG.get(tag)
            if kind is None:
                pos = _skip(data, pos, tag & 7)
                continue
            length, pos = _read_varint(data, pos)
            if pos + length > stop:
                raise WireError("the frame ends early")
            frame = _decode_fields(kind, data, pos, pos + length)
            pos += length
    except (IndexError, UnicodeDecodeError) as error:
        raise WireError(f"the bytes are not a frame: {error}") from error
    if pos != stop:
        raise WireError("the frame ends early")
    return frame


def encode_frame(frame: Frame) -> list[Buffer]:
    """One frame with its length prefix, as buffers to be sent one after the other.

    Raises WireError for a value that its field can't hold.
    """
    parts: list[Buffer] = []
    body = bytearray()
    body_bytes = 0
    values = frame.__dict__
    for name, tag, kind in _ENCODERS[type(frame)]:
        value = values[name]
        if kind == _UINT or kind == _FLAG:
            if value:
                body += tag
                _write_varint(body, int(value))
        elif len(value) == 0:
            continue
        elif kind == _TEXT:
            text = _encode_text(value)
            body += tag
            _write_varint(body, len(text))
            body += text
        elif kind == _DATA:
            body += tag
            _write_varint(body, len(value))
            if len(value) < _LARGE_BYTES:
                body += value
            else:
                parts += (body, value)
                body_bytes += len(body) + len(value)
                body = bytearray()
        else:
            _write_map(body, tag, value)
    if body or not parts:
        body_bytes += len(body)
        parts.append(body)

    head = bytearray(4)
    _write_varint(head, frame.TAG << 3 | 2)
    _write_varint(head, body_bytes)
    head[:4] = (body_bytes + len(head) - 4).to_bytes(4, "big")
    if len(parts) == 1:
        return [head + body]
    return [head, *parts]


def frame_bytes(parts: list[Buffer]) -> int:
    """Size of an encoded frame without its prefix."""
    return sum(map(len, parts)) - 4


def layout_of(kind: type[Frame]) -> dict[str, tuple[int, str]]:
    """Number and type of each field, for the comparison with the .proto file."""
    names = {_UINT: "uint", _FLAG: "bool", _TEXT: "string", _DATA: "bytes", _MAP: "map"}
    return {
        field.name: (field.metadata["number"], names[field.metadata["type"]])
        for field in dataclasses.fields(kind)
    }


def _decode_fields(kind: type[Frame], data: bytes | bytearray, pos: int, end: int) -> Frame:
    frame = kind()
    values = frame.__dict__
    fields = _DECODERS[kind]
    view: memoryview | None = None
    while pos < end:
        tag = data[pos]
        pos += 1
        if tag > 127:
            tag, pos = _read_varint(data, pos - 1)
        known = fields.get(tag)
        if known is None:
            pos = _skip(data, pos, tag & 7)
            continue
        name, field_type = known
        number = data[pos]
        pos += 1
        if number > 127:
            number, pos = _read_varint(data, pos - 1)
        if field_type == _UINT:
            values[name] = number
            continue
        if field_type == _FLAG:
            values[name] = number != 0
            continue
        stop = pos + number
        if stop > end:
            raise WireError(f'field "{name}" of {kind.__name__} ends early')
        if field_type == _TEXT:
            values[name] = data[pos:stop].decode()
        elif field_type == _DATA:
            view = view or memoryview(data)
            values[name] = view[pos:stop].toreadonly()
        else:
            key, value = _decode_entry(data, pos, stop)
            values[name][key] = value
        pos = stop
    if pos != end:
        raise WireError(f"{kind.__name__} ends early")
    return frame


def _decode_entry(data: bytes | bytearray, pos: int, end: int) -> tuple[str, str]:
    texts = {1: "", 2: ""}
    while pos < end:
        tag, pos = _read_varint(data, pos)
        if tag not in (0x0A, 0x12):
            pos = _skip(data, pos, tag & 7)
            continue
        length, pos = _read_varint(data, pos)
        if pos + length > end:
            raise WireError("a map entry ends early")
        texts[tag >> 3] = data[pos : pos + length].decode()
        pos += length
    return texts[1], texts[2]


def _read_varint(data: bytes | bytearray, pos: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
    raise WireError("a varint has more than ten bytes")


def _skip(data: bytes | bytearray, pos: int, wire_type: int) -> int:
    if wire_type == 0:
        return _read_varint(data, pos)[1]
    if wire_type == 1:
        return pos + 8
    if wire_type == 2:
        length, pos = _read_varint(data, pos)
        return pos + length
    if wire_type == 5:
        return pos + 4
    raise WireError(f"wire type {wire_type} is not used by the protocol")


def _write_varint(out: bytearray, value: int) -> None:
    if 0 <= value < 128:
        out.append(value)
        return
    if value < 0:
        raise WireError(f"a frame field holds {value}, which is no unsigned integer")
    while value > 127:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_map(out: bytearray, tag: bytes, entries: Mapping[str, str]) -> None:
    for key, value in entries.items():
        entry = bytearray()
        for entry_tag, text in ((0x0A, _encode_text(key)), (0x12, _encode_text(value))):
            if text:
                entry.append(entry_tag)
                _write_varint(entry, len(text))
                entry += text
        out += tag
        _write_varint(out, len(entry))
        out += entry


def _encode_text(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, from a file name or a broken decoder: the text is for people, so it is better
        # readable than refused.
        return text.encode("utf-8", "replace")


def _varint(value: int) -> bytes:
    out = bytearray()
    _write_varint(out, value)
    return bytes(out)


def _tag(field: dataclasses.Field[Any]) -> int:
    return int(field.metadata["number"]) << 3 | _WIRE_TYPE[field.metadata["type"]]


_KIND_BY_TAG = {kind.TAG << 3 | 2: kind for kind in FRAME_KINDS}
_DECODERS: dict[type[Frame], dict[int, tuple[str, int]]] = {
    kind: {_tag(field): (field.name, field.metadata["type"]) for field in dataclasses.fields(kind)}
    for kind in FRAME_KINDS
}
_ENCODERS: dict[type[Frame], list[tuple[str, bytes, int]]] = {
    kind: [
        (field.name, _varint(_tag(field)), field.metadata["type"])
        for field in dataclasses.fields(kind)
    ]
    for kind in FRAME_KINDS
}
