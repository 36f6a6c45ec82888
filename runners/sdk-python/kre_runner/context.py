"""``ctx``, the first argument of every handler. One per call; nothing of it is shared between calls."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Callable, Generic, TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from . import call_port
from .answer_stream import AnswerStream, send_to_stream
from .call_port import Answer, CallPort, NodePort
from .context_services import (
    Configuration,
    Database,
    Measurement,
    ObjectStore,
    UndeclaredObjectStore,
)
from .handler_errors import TerminalError
from .message_types import Payload, parse_payload
from .payload_message import PayloadDict, no_payload_of_error
from .prediction import Prediction
from .service_call import Nothing

T = TypeVar("T")
M = TypeVar("M", bound=Message)
_NO_PAYLOAD: Payload = ("", b"")


class _Attribute(Generic[T]):
    """A computed attribute that user code may replace: ``ctx.db = …`` in ``init`` wins, as it did in KRE."""

    def __init__(self, compute: Callable[[Context], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, _owner: Any = None) -> T:
        return self if instance is None else self._compute(instance)  # type: ignore[return-value]


class Context:
    # What is not the user's stays out of __dict__, so that copying it copies the user's attributes only.
    __slots__ = ("__dict__", "__weakref__", "_node", "_call", "_replied", "_exits", "_has_sent")

    ERR_MISSING_VALUES = Prediction.ERR_MISSING_VALUES
    ERR_NEW_LABELS = Prediction.ERR_NEW_LABELS
    METRIC_ERRORS = Prediction.PREDICTION_ERRORS

    def __init__(
        self, node: NodePort, call: CallPort, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """``attributes``: those that ``init`` set on its context."""
        self._node = node
        self._call = call
        self._replied = False
        self._exits = False
        self._has_sent = False
        if attributes:
            self.__dict__.update(attributes)

    # --- the message ------------------------------------------------------------------------------

    def get_request_id(self) -> str:
        """uuid of the request, the same in all nodes."""
        return self._call.request_id

    @_Attribute
    def request_id(self) -> str:
        return self._call.request_id

    @_Attribute
    def from_node(self) -> str:
        """Id of the node that sent the message, or ``entrypoint``."""
        return self._call.from_node

    def is_message_ok(self) -> bool:
        return self._call.message_type == call_port.OK

    def is_message_error(self) -> bool:
        return self._call.message_type == call_port.ERROR

    def is_message_early_reply(self) -> bool:
        return self._call.message_type == call_port.EARLY_REPLY

    def is_message_early_exit(self) -> bool:
        return self._call.message_type == call_port.EARLY_EXIT

    def get_error_message(self) -> str:
        """Text of an error message; empty otherwise."""
        return self._call.error

    @_Attribute
    def metadata(self) -> Mapping[str, str]:
        """``x-krt-*`` metadata and trace context of the caller."""
        return self._call.metadata

    @_Attribute
    def trace(self) -> str:
        """W3C ``traceparent``; empty without one."""
        return self._call.metadata.get("traceparent", "")

    @_Attribute
    def payload(self) -> memoryview:
        """The message's bytes as they arrived, not copied: ``numpy.frombuffer(ctx.payload, …)``."""
        return memoryview(self._call.payload[1])

    def unpack(self, data: AnyMessage | PayloadDict, cls: type[M]) -> M:
        """``data`` as a message of the class.

        Raises PayloadError when the payload is of another type, malformed, or the message is an error.
        """
        message = cls()
        # The call's own message as it arrived; any other Any by the values it has.
        payload = (
            self._call.payload if isinstance(data, PayloadDict) else (data.type_url, data.value)
        )
        if self.is_message_error() and payload[0] == "":
            raise no_payload_of_error(self._call.error)
        parse_payload(payload, message)
        return message

    # --- outputs ----------------------------------------------------------------------------------

    def send_output(self, message: object, channel: str = "") -> Awaitable[None]:
        """Sends to the subscribers of this node, or of its channel. At the exitpoint, the first output without a
        channel answers the caller.

        ``message``: protobuf message, Any, or a dict: the fields of the rpc's answer at the exitpoint, a
        ``google.protobuf.Struct`` elsewhere. Raises TerminalError when it can't be encoded.
        """
        return self._send(call_port.OK, channel, self._encode(message), "")

    def send_any(self, message: AnyMessage, channel: str = "") -> Awaitable[None]:
        """Forwards a message as it is."""
        return self._send(call_port.OK, channel, self._encode(message), "")

    def send_early_reply(self, message: object, channel: str = "") -> Awaitable[None]:
        """Answers the caller now; the graph goes on. The caller gets the first answer, later ones are dropped."""
        payload = self._encode(message)
        self._replied = True
        return self._send(call_port.EARLY_REPLY, channel, payload, "")

    def send_early_exit(self, message: object, channel: str = "") -> Awaitable[None]:
        """Answers the caller and ends this branch: what this call sends afterwards is dropped."""
        payload = self._encode(message)
        self._replied = True
        return self._send(call_port.EARLY_EXIT, channel, payload, "")

    def send_error(self, text: object) -> Awaitable[None]:
        """Sends an error to the subscribers that handle errors, or else to the caller."""
        return self._send(call_port.ERROR, "", _NO_PAYLOAD, str(text))

    def _send(self, kind: int, channel: str, payload: Payload, error: str) -> Awaitable[None]:
        self._has_sent = True
        node = self._node
        if kind == call_port.OK and not channel and node.is_streaming and node.is_exitpoint:
            # A message of the stream: the caller's pace is the handler's.
            return send_to_stream(self._call, "output", payload) or Nothing()
        return self._call.output(kind, channel, payload, error)

    @_Attribute
    def stream(self) -> AnswerStream:
        """Of an rpc that returns a stream; outputs of the exitpoint are messages of it, too."""
        return AnswerStream(self._call, self._encode_frame)

    # --- control ----------------------------------------------------------------------------------

    @_Attribute
    def cancelled(self) -> bool:
        """Nobody waits any more: the caller has gone, or the deadline has passed."""
        if self._call.cancelled:
            return True
        deadline = self._call.deadline_unix_ms
        return deadline != 0 and time.time() * 1000 >= deadline

    def deadline_ms(self) -> int:
        """Milliseconds since 1970 at which nobody waits any more; 0 = none."""
        return self._call.deadline_unix_ms

    @_Attribute
    def attempt(self) -> int:
        """1 on the first try."""
        return self._call.attempt

    # --- services ---------------------------------------------------------------------------------

    @_Attribute
    def logger(self) -> logging.Logger:
        """Lines carry the request, also when the logger is kept and used elsewhere."""
        return self._call.logger or self._node.logger

    @_Attribute
    def db(self) -> Database:
        return Database(self._call)

    @_Attribute
    def prediction(self) -> Prediction:
        return Prediction(self._call)

    @_Attribute
    def measurement(self) -> Measurement:
        return Measurement(self._call)

    @_Attribute
    def object_store(self) -> ObjectStore | UndeclaredObjectStore:
        """False, and an error at every use, when the manifest declares no object store for the node."""
        if not self._node.has_object_store:
            return UndeclaredObjectStore(self._node.node_name)
        return ObjectStore(self._call)

    @_Attribute
    def configuration(self) -> Configuration:
        return Configuration(self._call)

    # --- the node ---------------------------------------------------------------------------------

    def path(self, relative_path: str) -> str:
        """Absolute path of a file of the bundle. Raises TerminalError for a path that leaves the bundle."""
        root = os.path.abspath(self._node.base_path)
        whole = os.path.normpath(os.path.join(root, relative_path))
        if whole != root and not whole.startswith(os.path.join(root, "")):
            raise TerminalError(f'path "{relative_path}" leaves the bundle')
        return whole

    def config(self, name: str, default: str | None = None) -> str | None:
        """A value of the manifest's ``config``."""
        return self._node.config.get(name, default)

    def get(self, key: str, default: Any = None) -> Any:
        """A value that ``set`` kept in this process."""
        memory = self._node.memory
        return memory[key] if key in memory else self.__dict__.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Keeps a value for later calls of this process; other replicas don't see it."""
        self._node.memory[key] = value

    # --- names of earlier generations ---------------------------------------------------------------

    def reply(self, response: object) -> Awaitable[None]:
        """As ``send_early_reply``, once per message. Raises TerminalError on a second reply."""
        if self._replied:
            raise TerminalError("the message was replied previously")
        return self.send_early_reply(response)

    def early_reply(self, response: object) -> Awaitable[None]:
        return self.reply(response)

    def early_exit(self, response: object = None) -> Awaitable[None]:
        """Without a response: what the handler returns answers the caller and ends the branch."""
        if response is not None:
            return self.send_early_exit(response)
        self._exits = True
        return Nothing()

    def save_metric(
        self, predicted_value: str = "", true_value: str = "", date: str = "", error: str = ""
    ) -> Answer[None]:
        return Prediction(self._call).save(
            predicted_value, true_value, utcdate=date or None, error=error
        )

    def save_data(self, coll: str, data: Mapping[str, Any]) -> Answer[None]:
        return Database(self._call).save(coll, data)

    def get_data(self, coll: str, query: Mapping[str, Any]) -> Answer[Any]:
        return Database(self._call).find(coll, query)

    def get_path(self, relative_path: str) -> str:
        return self.path(relative_path)

    def set_value(self, key: str, value: Any) -> None:
        """As ``set``; KRE 0.x made it an attribute, too."""
        self.set(key, value)
        setattr(self, key, value)

    def get_value(self, key: str) -> Any:
        return self.get(key)

    # --- for the code that runs the handler ---------------------------------------------------------

    def _send_returned(self, returned: object) -> None:
        """The output of a linear handler. After a reply, the last node's result has nowhere to go."""
        if returned is None:
            # A stream may be empty.
            if self._node.is_exitpoint and not self._has_sent and not self._node.is_streaming:
                raise TerminalError(
                    "the handler returned nothing, so the caller would wait in vain: "
                    f'return a "{self._node.response_type}", or send one with ctx.send_output'
                )
            return
        if self._exits:
            self.send_early_exit(returned)
        elif not (self._replied and self._node.is_exitpoint) or self._node.is_streaming:
            self.send_output(returned)

    def _encode_frame(self, message: object) -> Payload:
        node = self._node
        self._has_sent = True
        if isinstance(message, PayloadDict) and message.TypeName() == node.response_type:
            payload = message.unchanged_payload()
            if payload is not None:
                return payload
        return node.types.encode(message, node.response_type)

    def _encode(self, message: object) -> Payload:
        node = self._node
        if isinstance(message, PayloadDict):
            payload = message.unchanged_payload()
            # At the exitpoint a dict has the fields of the answer, whatever message it came in.
            if payload is not None and (
                not node.is_exitpoint or message.TypeName() == node.response_type
            ):
                return payload
        return node.types.encode(message, node.plain_type)
