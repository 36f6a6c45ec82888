"""Runs a node's handlers in a test, without a broker."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import re
import threading
from collections.abc import Awaitable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar, cast

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from . import call_port
from .call_port import Answer, NodePort
from .context import Context
from .handler_errors import ServiceError, TerminalError
from .handler_module import (
    Exports,
    NodeHandlers,
    read_handler_module,
    send_returned,
    send_returned_list,
)
from .message_types import MessageTypes, Payload
from .node_logger import create_node_logger
from .payload_message import PayloadDict, StrictUnpack
from .service_call import Nothing, Pending, running_loop
from .services import to_json
from .worker_frame import Buffer

T = TypeVar("T")
_SCOPES = ("node", "workflow", "project")


@dataclass(frozen=True)
class SentOutput:
    message_type: int
    """``call_port.OK``, ``ERROR``, ``EARLY_REPLY`` or ``EARLY_EXIT``."""
    channel: str
    message: AnyMessage
    error: str

    def unpack(self, message: Message) -> Any:
        """Reads the output into ``message`` and returns it. Raises AssertionError when it is of another type."""
        if not self.message.Unpack(message):
            raise AssertionError(
                f'the output is a "{self.message.TypeName()}", not a "{message.DESCRIPTOR.full_name}"'
            )
        return message


@dataclass(frozen=True)
class ServiceUse:
    service: str
    method: str
    arguments: Mapping[str, Any]
    data: bytes


@dataclass
class RunResult:
    """May be awaited, too, and is then itself."""

    outputs: list[SentOutput] = field(default_factory=list)
    frames: list[AnyMessage] = field(default_factory=list)
    """Messages of ``ctx.stream.write``."""
    logs: list[tuple[str, str]] = field(default_factory=list)
    """Level (ERROR, WARN, INFO, DEBUG) and text."""
    writes: list[ServiceUse] = field(default_factory=list)
    """Calls of services, in order."""

    def __await__(self) -> Generator[Any, None, RunResult]:
        yield from ()
        return self


@dataclass(frozen=True)
class RunOptions:
    descriptor_set: bytes = b""
    """Serialized FileDescriptorSet of the bundle's protos; not needed for types that the test has imported."""
    from_node: str = "entrypoint"
    message_type: int = call_port.OK
    error: str = ""
    """Text of the message when ``message_type`` is ERROR."""
    base_path: str = ""
    """Root for ``ctx.path``; the working directory when empty."""
    is_exitpoint: bool = False
    response_type: str = ""
    """Full name of the rpc's answer: the type of a dict at the exitpoint."""
    is_streaming: bool = False
    """The rpc returns a stream, so that the handler can use ``ctx.stream``."""
    has_object_store: bool = True
    is_batched: bool = False
    """The manifest sets ``batch``: the handler gets lists, here of one message."""
    request_id: str = "00000000-0000-4000-8000-000000000000"
    deadline_unix_ms: int = 0
    attempt: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)


def run_handler(
    module: Exports,
    message: object = None,
    config: Mapping[str, str] | None = None,
    db: Mapping[str, list[dict[str, Any]]] | None = None,
    stores: Mapping[str, Mapping[str, Any]] | None = None,
    **options: Any,
) -> RunResult:
    """Runs ``init`` and then the handler for one message.

    ``module``: the imported handler file, or a dict of what one would define. ``message``: what another node would
    send: a protobuf message, an Any or a dict. ``db``: documents by collection; ``ctx.db.find`` matches equal fields
    and sees what ``save`` wrote. ``stores``: ``{"objects": {key: bytes}, "configuration": {key: text}}``.
    ``options``: the fields of RunOptions.

    Raises whatever the module raises. Works inside a running event loop, too.
    """
    run = _Run(module, message, config or {}, db or {}, stores or {}, RunOptions(**options))
    if running_loop() is None:
        return run.run()
    # The test's own loop is running and can't run another one: a thread can.
    outcome: list[Any] = []

    def in_thread() -> None:
        try:
            outcome.extend((run.run(), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]  # type: ignore[no-any-return]


class _Run:
    def __init__(
        self,
        module: Exports,
        message: object,
        config: Mapping[str, str],
        db: Mapping[str, list[dict[str, Any]]],
        stores: Mapping[str, Mapping[str, Any]],
        options: RunOptions,
    ) -> None:
        self._result = RunResult()
        self._handlers: NodeHandlers = read_handler_module(module, is_batched=options.is_batched)
        self._node = self._make_node(config, options)
        payload: Payload = ("", b"") if message is None else self._node.types.encode(message, "")
        self._call = _TestCall(options, payload, self._result, _TestServices(db, stores))

    def run(self) -> RunResult:
        strict = StrictUnpack()
        strict.install()
        loop = asyncio.new_event_loop()
        try:
            first = Context(self._node, self._call)
            if self._handlers.init is not None:
                self._wait(loop, self._handlers.init, first)
            ctx = Context(self._node, self._call, first.__dict__)
            batch = self._handlers.batch_for(self._call.is_error)
            if batch is not None:
                returned = self._wait(loop, batch.function, [ctx], [strict.make(self._call)])
                (error,) = send_returned_list([ctx], batch, returned)
                if error is not None:
                    raise error
                return self._result
            handler = self._handlers.handler_for(self._call.from_node, self._call.is_error)
            data = (
                PayloadDict(self._call, self._node.types)
                if handler.takes_dict
                else strict.make(self._call)
            )
            send_returned(ctx, handler, self._wait(loop, handler.function, ctx, data))
            return self._result
        finally:
            strict.uninstall()
            loop.close()

    def _wait(
        self, loop: asyncio.AbstractEventLoop, function: Callable[..., Any], *arguments: Any
    ) -> Any:
        returned = function(*arguments)
        if not inspect.isawaitable(returned):
            return returned

        async def rest(awaited: Awaitable[Any]) -> Any:
            return await awaited

        return loop.run_until_complete(rest(returned))

    def _make_node(self, config: Mapping[str, str], options: RunOptions) -> NodePort:
        def write(_call_id: int, level: str, text: str) -> None:
            self._result.logs.append((level, text))

        return NodePort(
            node_name="node",
            base_path=options.base_path or os.getcwd(),
            is_exitpoint=options.is_exitpoint,
            response_type=options.response_type,
            is_streaming=options.is_streaming,
            has_object_store=options.has_object_store,
            config=config,
            types=MessageTypes(lambda: options.descriptor_set),
            logger=create_node_logger("node", write),
        )


class _TestCall:
    def __init__(
        self, options: RunOptions, payload: Payload, result: RunResult, services: _TestServices
    ) -> None:
        self.request_id = options.request_id
        self.from_node = options.from_node
        self.message_type = options.message_type
        self.payload = payload
        self.error = options.error
        self.deadline_unix_ms = options.deadline_unix_ms
        self.attempt = options.attempt
        self.metadata = options.metadata
        self.logger: logging.Logger | None = None
        self.cancelled = False
        self.is_error = options.message_type == call_port.ERROR
        self._options = options
        self._result = result
        self._services = services

    def output(
        self, message_type: int, channel: str, payload: Payload, error: str
    ) -> Awaitable[None]:
        message = AnyMessage(type_url=payload[0], value=bytes(payload[1]))
        self._result.outputs.append(SentOutput(message_type, channel or "", message, error))
        return Nothing()

    def service(
        self,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        data: Buffer,
        decode: Callable[[Any, Buffer], T],
    ) -> Answer[T]:
        if service == "stream":
            return cast("Answer[T]", self._send_frame(method, arguments["typeUrl"], bytes(data)))
        to_json(f"{service}.{method}", arguments)
        self._result.writes.append(ServiceUse(service, method, arguments, bytes(data)))

        def answer() -> T:
            result, found = self._services.call(service, method, arguments, bytes(data))
            return decode(result, found)

        if running_loop() is None:
            return answer()
        return _answer_later(answer)

    def _send_frame(self, method: str, type_url: str, value: bytes) -> Any:
        options = self._options
        message = AnyMessage(type_url=type_url, value=value)
        if method == "output":
            self._result.outputs.append(SentOutput(call_port.OK, "", message, ""))
            return Nothing()
        if not options.is_streaming:
            raise ServiceError("ctx.stream.write: the rpc returns one answer, and no stream")
        if message.TypeName() != options.response_type:
            raise ServiceError(
                f'ctx.stream.write: the rpc returns a stream of "{options.response_type}", '
                f'and this is a "{message.TypeName()}"'
            )
        self._result.frames.append(message)
        return Nothing()


def _answer_later(answer: Callable[[], T]) -> Awaitable[T]:
    # Done now, like the worker's calls, whether it is awaited or not.
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    try:
        future.set_result(answer())
    except TerminalError as error:
        future.set_exception(error)
        future.exception()
    return Pending(future)


class _TestServices:
    """The runner's services, in memory."""

    def __init__(
        self, db: Mapping[str, list[dict[str, Any]]], stores: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._documents = {name: list(documents) for name, documents in db.items()}
        self._objects: dict[str, bytes] = dict(stores.get("objects", {}))
        self._values = {
            ("node", key): value for key, value in stores.get("configuration", {}).items()
        }

    def call(
        self, service: str, method: str, arguments: Mapping[str, Any], data: bytes
    ) -> tuple[Any, bytes]:
        answer = getattr(self, f"_{service}_{method}")(dict(arguments), data)
        return (None, answer) if isinstance(answer, bytes) else (answer, b"")

    def _db_save(self, arguments: dict[str, Any], _data: bytes) -> None:
        self._documents.setdefault(arguments["collection"], []).append(dict(arguments["document"]))

    def _db_find(self, arguments: dict[str, Any], _data: bytes) -> list[dict[str, Any]]:
        documents = self._documents.get(arguments["collection"], [])
        query = arguments["query"].items()
        return [
            document
            for document in documents
            if all(document.get(key) == value for key, value in query)
        ]

    def _prediction_save(self, _arguments: dict[str, Any], _data: bytes) -> None:
        return None

    def _measurement_save(self, _arguments: dict[str, Any], _data: bytes) -> None:
        return None

    def _object_store_save(self, arguments: dict[str, Any], data: bytes) -> None:
        self._objects[arguments["key"]] = data

    def _object_store_get(self, arguments: dict[str, Any], _data: bytes) -> bytes:
        return self._objects[self._known(arguments)]

    def _object_store_delete(self, arguments: dict[str, Any], _data: bytes) -> None:
        del self._objects[self._known(arguments)]

    def _object_store_list(self, arguments: dict[str, Any], _data: bytes) -> list[str]:
        prefix, pattern = arguments.get("prefix", ""), arguments.get("pattern", "")
        return sorted(
            key for key in self._objects if key.startswith(prefix) and re.search(pattern, key)
        )

    def _object_store_purge(self, arguments: dict[str, Any], data: bytes) -> int:
        keys = self._object_store_list(arguments, data)
        for key in keys:
            del self._objects[key]
        return len(keys)

    def _configuration_set(self, arguments: dict[str, Any], _data: bytes) -> None:
        self._values[arguments["scope"], arguments["key"]] = arguments["value"]

    def _configuration_get(self, arguments: dict[str, Any], _data: bytes) -> str:
        for scope in (arguments["scope"],) if "scope" in arguments else _SCOPES:
            if (scope, arguments["key"]) in self._values:
                return str(self._values[scope, arguments["key"]])
        raise ServiceError(f'No value found for key "{arguments["key"]}"')

    def _configuration_delete(self, arguments: dict[str, Any], _data: bytes) -> None:
        self._values.pop((arguments["scope"], arguments["key"]), None)

    def _known(self, arguments: dict[str, Any]) -> str:
        key = str(arguments["key"])
        if key not in self._objects:
            raise ServiceError(f'no object "{key}" in the object store')
        return key
