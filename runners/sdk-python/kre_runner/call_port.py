"""What a Context needs from whoever runs it: the worker, or ``run_handler`` in a test."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol, TypeVar, Union

from .message_types import MessageTypes, Payload
from .worker_frame import Buffer

UNDEFINED = 0
OK = 1
ERROR = 2
EARLY_REPLY = 3
EARLY_EXIT = 4
"""``MessageType`` of the envelope."""

T = TypeVar("T")
Answer = Union[T, Awaitable[T]]
"""What a service gives: an awaitable inside a running event loop, else (sync handlers) the value itself."""


@dataclass(frozen=True)
class NodePort:
    """The node, the same for all calls."""

    node_name: str
    base_path: str
    is_exitpoint: bool
    response_type: str
    """Full name of the rpc's answer."""
    has_object_store: bool
    config: Mapping[str, str]
    types: MessageTypes
    logger: logging.Logger
    is_streaming: bool = False
    """The answer is a stream of messages."""
    memory: dict[str, Any] = field(default_factory=dict)
    """Values of ``ctx.set``, kept as long as the process."""

    @property
    def plain_type(self) -> str:
        """The message type that a dict becomes: the rpc's answer at the exitpoint, a Struct between nodes."""
        return self.response_type if self.is_exitpoint else ""


class CallPort(Protocol):
    """One call of the handler. Outside a call (``init``) there is no message and nothing can be sent."""

    request_id: str
    from_node: str
    message_type: int
    payload: Payload
    error: str
    """Text of an error message."""
    deadline_unix_ms: int
    """0 = none."""
    attempt: int
    metadata: Mapping[str, str]

    @property
    def logger(self) -> logging.Logger | None:
        """Of a call that shares its handler with others; None = the node's, which knows the call by itself."""

    @property
    def is_error(self) -> bool: ...

    @property
    def cancelled(self) -> bool: ...

    def output(
        self, message_type: int, channel: str, payload: Payload, error: str
    ) -> Awaitable[None]:
        """Sends at once; awaiting waits while the runner has no room."""

    def service(
        self,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        data: Buffer,
        decode: Callable[[Any, Buffer], T],
    ) -> Answer[T]:
        """The services that worker.proto lists at ``Call``, with the same names, arguments and results.

        The call goes out at once, awaited or not. ``decode`` makes the answer of JSON result and bytes.
        """
