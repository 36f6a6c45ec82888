"""The frames of ``runners/wire/worker.proto``.

The layout is written once, as the fields of the dataclasses; a test compares it with the .proto file.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Union

WORKER_PROTOCOL = 1
"""Version of the protocol, said in Hello."""

Buffer = Union[bytes, bytearray, memoryview]

# How a field's value is written. UINT and FLAG are varints, the others are length-delimited.
UINT, FLAG, TEXT, DATA, MAP = range(5)
_NO_DATA = memoryview(b"")


class WireError(Exception):
    """The bytes are not a frame, or a frame can't be written as bytes."""


def _uint(number: int) -> Any:
    return dataclasses.field(default=0, metadata={"number": number, "type": UINT})


def _flag(number: int) -> Any:
    return dataclasses.field(default=False, metadata={"number": number, "type": FLAG})


def _text(number: int) -> Any:
    return dataclasses.field(default="", metadata={"number": number, "type": TEXT})


def _data(number: int) -> Any:
    return dataclasses.field(default=_NO_DATA, metadata={"number": number, "type": DATA})


def _map(number: int) -> Any:
    return dataclasses.field(default_factory=dict, metadata={"number": number, "type": MAP})


@dataclass
class Frame:
    """One message of the protocol. ``TAG`` is its number in ``Frame.kind``."""

    TAG: ClassVar[int] = 0


@dataclass
class Hello(Frame):
    TAG: ClassVar[int] = 1
    protocol: int = _uint(1)
    language: str = _text(2)
    reads_ahead: bool = _flag(3)


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
    elapsed_us: int = _uint(2)


@dataclass
class Failed(Frame):
    TAG: ClassVar[int] = 7
    call_id: int = _uint(1)
    text: str = _text(2)
    stack: str = _text(3)
    retryable: bool = _flag(4)
    retry_after_ms: int = _uint(5)
    status_code: int = _uint(6)
    elapsed_us: int = _uint(7)


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
    running_file: str = _text(17)
    batched: bool = _flag(18)
    is_streaming: bool = _flag(19)


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
    batch: int = _uint(11)


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


def layout_of(kind: type[Frame]) -> dict[str, tuple[int, str]]:
    """Number and type of each field, for the comparison with the .proto file."""
    names = {UINT: "uint", FLAG: "bool", TEXT: "string", DATA: "bytes", MAP: "map"}
    return {
        field.name: (field.metadata["number"], names[field.metadata["type"]])
        for field in dataclasses.fields(kind)
    }
