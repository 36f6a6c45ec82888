"""Worker frames as bytes, in both directions, and checked by fixtures that both languages share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .worker_frame import (
    DATA,
    FLAG,
    FRAME_KINDS,
    MAP,
    TEXT,
    UINT,
    Buffer,
    Done,
    Frame,
    Handle,
    Output,
    WireError,
)

_LARGE_BYTES = 16 * 1024
"""From this size on, copying bytes into the frame costs more than another buffer in the system call."""


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
            frame = _decode_known(kind, data, pos, pos + length)
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
    kind = type(frame)
    if kind is Output:
        return _encode_output(frame)  # type: ignore[arg-type]
    if kind is Done:
        return [_encode_done(frame)]  # type: ignore[arg-type]
    parts: list[Buffer] = []
    body = bytearray()
    body_bytes = 0
    values = frame.__dict__
    for name, tag, field_type in _ENCODERS[kind]:
        value = values[name]
        if field_type == UINT or field_type == FLAG:
            if value:
                body += tag
                _write_varint(body, int(value))
        elif len(value) == 0:
            continue
        elif field_type == TEXT:
            text = _encode_text(value)
            body += tag
            _write_varint(body, len(text))
            body += text
        elif field_type == DATA:
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


def _encode_output(frame: Output) -> list[Buffer]:
    """By hand: most frames that a worker sends are outputs and the ends of calls."""
    value = frame.value
    size = len(value)
    message_type = frame.message_type
    body = b"".join(
        (
            b"\x08" + _varint(frame.call_id),
            b"\x10" + _varint(message_type) if message_type else b"",
            _text_field(b"\x1a", frame.channel),
            _text_field(b"\x22", frame.type_url),
            b"\x2a" + _varint(size) if size else b"",
            value if size < _LARGE_BYTES else b"",
        )
    )
    error = _text_field(b"\x32", frame.error)
    is_large = size >= _LARGE_BYTES
    body_bytes = len(body) + len(error) + (size if is_large else 0)
    head = b"\x22" + _varint(body_bytes)
    prefix = (body_bytes + len(head)).to_bytes(4, "big")
    if not is_large:
        return [b"".join((prefix, head, body, error))]
    start = b"".join((prefix, head, body))
    return [start, value, error] if error else [start, value]


def _encode_done(frame: Done) -> bytes:
    elapsed_us = frame.elapsed_us
    body = b"\x08" + _varint(frame.call_id) if frame.call_id else b""
    if elapsed_us:
        body += b"\x10" + _varint(elapsed_us)
    # Two varints are short: one byte says how long they are.
    return b"\x00\x00\x00" + bytes((len(body) + 2, 0x32, len(body))) + body


def _text_field(tag: bytes, text: str) -> bytes:
    if not text:
        return b""
    known = _TEXT_FIELDS.get((tag, text))
    if known is None:
        encoded = _encode_text(text)
        known = tag + _varint(len(encoded)) + encoded
        if len(text) <= _KNOWN_CHARS_MAX and len(_TEXT_FIELDS) < _KNOWN_TEXTS_MAX:
            _TEXT_FIELDS[tag, text] = known
    return known


# Names of types and channels are few, and the same in each message.
_TEXT_FIELDS: dict[tuple[bytes, str], bytes] = {}
_KNOWN_TEXTS_MAX = 256
_KNOWN_CHARS_MAX = 128


def frame_bytes(parts: list[Buffer]) -> int:
    """Size of an encoded frame without its prefix."""
    return sum(map(len, parts)) - 4


def _decode_known(kind: type[Frame], data: bytes | bytearray, pos: int, end: int) -> Frame:
    if kind is Handle:
        try:
            return _decode_handle(data, pos, end)
        except _NotByHand:
            pass  # the general decoder knows how to skip it
    return _decode_fields(kind, data, pos, end)


def _decode_handle(data: bytes | bytearray, pos: int, end: int) -> Handle:
    """By hand: nearly every frame that a worker gets is a message. Small values are copied: a view would keep all
    that was read with it alive."""
    frame = Handle()
    while pos < end:
        tag = data[pos]
        if tag > 127:
            raise _NotByHand
        number = data[pos + 1]
        pos += 2
        if number > 127:
            number, pos = _read_varint(data, pos - 1)
        if tag & 7 == 2:
            start = pos
            pos += number
            if pos > end:
                raise WireError("a field of Handle ends early")
            if tag == 0x32:
                frame.value = (
                    bytes(data[start:pos])
                    if number < _LARGE_BYTES
                    else memoryview(data)[start:pos].toreadonly()
                )
            elif tag == 0x12:
                frame.request_id = data[start:pos].decode()
            elif tag == 0x2A:
                frame.type_url = data[start:pos].decode()
            elif tag == 0x1A:
                frame.from_node = data[start:pos].decode()
            elif tag == 0x52:
                key, text = _decode_entry(data, start, pos)
                frame.metadata[key] = text
            elif tag == 0x3A:
                frame.error = data[start:pos].decode()
        elif tag == 0x08:
            frame.call_id = number
        elif tag == 0x20:
            frame.message_type = number
        elif tag == 0x40:
            frame.deadline_unix_ms = number
        elif tag == 0x48:
            frame.attempt = number
        elif tag == 0x58:
            frame.batch = number
        elif tag & 7 != 0:
            raise _NotByHand
    if pos != end:
        raise WireError("Handle ends early")
    return frame


class _NotByHand(Exception):
    """A field that only newer runners write: the general decoder skips it."""


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
        if field_type == UINT:
            values[name] = number
            continue
        if field_type == FLAG:
            values[name] = number != 0
            continue
        stop = pos + number
        if stop > end:
            raise WireError(f'field "{name}" of {kind.__name__} ends early')
        if field_type == TEXT:
            values[name] = data[pos:stop].decode()
        elif field_type == DATA:
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
    if 0 <= value < 128:
        return _SMALL[value]
    if 128 <= value < 16384:
        return bytes((value & 0x7F | 0x80, value >> 7))
    out = bytearray()
    _write_varint(out, value)
    return bytes(out)


def _tag(field: dataclasses.Field[Any]) -> int:
    return int(field.metadata["number"]) << 3 | _WIRE_TYPE[field.metadata["type"]]


_SMALL = [bytes((value,)) for value in range(128)]
_WIRE_TYPE = {UINT: 0, FLAG: 0, TEXT: 2, DATA: 2, MAP: 2}
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
