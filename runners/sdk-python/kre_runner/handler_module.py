"""Reads what a handler file exports, in either style."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator, Mapping
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any, Callable, Union

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from .context import Context
from .handler_errors import TerminalError

HandlerFunction = Callable[[Context, Any], Any]
BatchFunction = Callable[[list[Context], list[Any]], Any]
Exports = Union[ModuleType, Mapping[str, Any], object]


@dataclass(frozen=True)
class Handler:
    function: HandlerFunction
    is_async: bool
    """Runs in the event loop; others run in a thread."""
    is_linear: bool
    """What it returns is its output."""
    takes_dict: bool
    """Gets the message as a dict, see ``_takes_dict``."""


@dataclass(frozen=True)
class BatchHandler:
    """Gets the messages of a batch and a context for each. Sends by the contexts; or returns a list with one output per
    message, in which an exception fails its message and no other. What it raises fails all of them."""

    function: BatchFunction
    is_async: bool
    must_return: bool
    """A linear handler: what it returns are its outputs."""


@dataclass(frozen=True)
class NodeHandlers:
    init: Callable[[Context], Any] | None
    default: Handler | None
    custom: Mapping[str, Handler]
    linear: Handler | None
    on_error: Handler | None
    batch: BatchHandler | None
    """Handles all messages but the errors that ``on_error`` takes."""
    handles_errors: bool
    """Receives the errors of the nodes it listens to."""

    @property
    def is_graph(self) -> bool:
        return self.default is not None or bool(self.custom)

    def handler_for(self, from_node: str, is_error: bool) -> Handler:
        """Raises TerminalError when the file has no handler for the sender."""
        chosen = self.on_error if is_error else None
        if chosen is None:
            chosen = (self.custom.get(from_node) or self.default) if self.is_graph else self.linear
        if chosen is None:
            raise TerminalError(
                f"no handler for messages from node '{from_node}': "
                "define default_handler, or an entry of custom_handlers"
            )
        return chosen

    def batch_for(self, is_error: bool) -> BatchHandler | None:
        return None if is_error and self.on_error is not None else self.batch

    @property
    def has_sync(self) -> bool:
        return any(not handler.is_async for handler in self._known())

    @property
    def has_async(self) -> bool:
        return any(handler.is_async for handler in self._known())

    def _known(self) -> list[Handler | BatchHandler]:
        known = (self.default, self.linear, self.on_error, self.batch, *self.custom.values())
        return [handler for handler in known if handler is not None]


def read_handler_module(
    exports: Exports, source: str = "", is_batched: bool = False
) -> NodeHandlers:
    """``source``: text of the file; a graph handler that tests ``is_message_error`` gets error messages, too.

    ``is_batched``: the manifest sets ``batch`` for the node.

    Raises TerminalError when the exports are no handlers.
    """
    namespace = _names_of(exports)
    init = _function("init", namespace.get("init"))
    uses_protobuf = _uses_protobuf(namespace)

    def handler(name: str, is_linear: bool = False) -> Handler | None:
        function = _function(name, namespace.get(name))
        return None if function is None else _to_handler(function, is_linear, uses_protobuf)

    default = handler("default_handler")
    custom = _custom_handlers(namespace.get("custom_handlers"), uses_protobuf)
    linear = handler("handler", is_linear=True)
    on_error = handler("error_handler")
    is_graph = default is not None or bool(custom)
    by_batch = _function("batch_handler", namespace.get("batch_handler"))
    has_single = is_graph or linear is not None or on_error is not None
    if not has_single and by_batch is None:
        raise TerminalError(
            "the file defines no handler: define default_handler, custom_handlers, or (linear style) handler"
        )
    batch = _batch_handler(by_batch, linear) if is_batched or not has_single else None
    tests_errors = (is_graph or batch is not None) and re.search(
        r"\bis_message_error\b", source
    ) is not None
    handles_errors = on_error is not None or tests_errors
    return NodeHandlers(init, default, custom, linear, on_error, batch, handles_errors)


def _batch_handler(by_batch: BatchFunction | None, linear: Handler | None) -> BatchHandler:
    if by_batch is not None:
        return BatchHandler(by_batch, is_async_function(by_batch), must_return=False)
    if linear is None:
        raise TerminalError(
            "the manifest sets batch for this node, so its handler gets lists: "
            "define batch_handler(contexts, messages), or remove batch"
        )
    function: Any = linear.function
    return BatchHandler(function, linear.is_async, must_return=True)


def is_async_function(function: Callable[..., Any]) -> bool:
    inner: Any = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(inner.func)
    if inspect.iscoroutinefunction(inner):
        return True
    # An object whose class makes it callable.
    return inspect.iscoroutinefunction(getattr(type(inner), "__call__", None))  # noqa: B004


def _names_of(exports: Exports) -> Mapping[str, Any]:
    if isinstance(exports, MappingType):
        return exports
    if isinstance(exports, ModuleType):
        return vars(exports)
    return {name: getattr(exports, name, None) for name in dir(exports)}


def _to_handler(function: HandlerFunction, is_linear: bool, uses_protobuf: bool) -> Handler:
    is_async = is_async_function(function)
    takes_dict = is_linear and _takes_dict(function, is_async, uses_protobuf)
    return Handler(function, is_async, is_linear, takes_dict)


def _takes_dict(function: HandlerFunction, is_async: bool, uses_protobuf: bool) -> bool:
    """Whether a linear handler is of E0 or E1, whose messages were JSON, and not of E2 or later.

    KRE never said so in the file. Its later handlers unpack their data and import protobuf for it, so: one that
    unpacks or declares its data as an Any gets an Any; so does an async one of a file that uses protobuf; any
    other gets a dict. The dict (PayloadDict) can be unpacked, too.
    """
    inner: Any = inspect.unwrap(function)
    code = getattr(inner, "__code__", None)
    if code is not None and any(name in ("Unpack", "unpack") for name in _names_in(code)):
        return False
    if _declares_any(inner):
        return False
    return not (is_async and uses_protobuf)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _declares_any(function: Any) -> bool:
    annotations = getattr(function, "__annotations__", {})
    try:
        parameters = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return False  # a builtin without a signature declares nothing
    declared = annotations.get(parameters[1]) if len(parameters) > 1 else None
    if declared is AnyMessage:
        return True
    if not isinstance(declared, str):
        return False
    in_module = getattr(function, "__globals__", {}).get(declared.partition(".")[0])
    return in_module is AnyMessage or getattr(in_module, "Any", None) is AnyMessage


def _uses_protobuf(namespace: Mapping[str, Any]) -> bool:
    return any(_is_protobuf(value) for value in namespace.values())


def _is_protobuf(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value.__name__.startswith("google.protobuf") or value.__name__.endswith("_pb2")
    if isinstance(value, type):
        return issubclass(value, Message)
    return isinstance(value, Message)


def _custom_handlers(given: Any, uses_protobuf: bool) -> dict[str, Handler]:
    if given is None:
        return {}
    if not isinstance(given, MappingType):
        raise TerminalError("custom_handlers is no dict from sender to function")
    handlers = {}
    for sender, function in given.items():
        checked = _function(f'custom_handlers["{sender}"]', function)
        if checked is None:
            raise TerminalError(f'custom_handlers["{sender}"] is no function')
        handlers[str(sender)] = _to_handler(checked, False, uses_protobuf)
    return handlers


def _function(name: str, value: Any) -> Callable[..., Any] | None:
    if value is not None and not callable(value):
        raise TerminalError(f"{name} is no function")
    return value  # type: ignore[no-any-return]


def send_returned(ctx: Context, handler: Handler, returned: object) -> None:
    """Sends the output of a linear handler; after a reply, the last node's has nowhere to go.

    What a handler of the graph style returns is dropped, as KRE dropped it; the log says so once, for the caller waits.
    """
    if handler.is_linear:
        ctx._send_returned(returned)
    elif returned is not None and not ctx._has_sent and handler.function not in _returned_in_vain:
        _returned_in_vain.add(handler.function)
        ctx.logger.warning(
            "the handler returned a value and sent nothing: only what ctx.send_output sends goes on; "
            "returned values are the outputs of a function named handler"
        )


_returned_in_vain: set[HandlerFunction] = set()


def send_returned_list(
    contexts: list[Context], handler: BatchHandler, returned: object
) -> list[BaseException | None]:
    """Sends what a batch handler returned; gives of each message what failed, None = nothing.

    Raises TerminalError when it is no list with one output per message.
    """
    if returned is None:
        if not handler.must_return:
            return [None] * len(contexts)
        returned = [None] * len(contexts)
    if not isinstance(returned, (list, tuple)) or len(returned) != len(contexts):
        is_list = isinstance(returned, (list, tuple))
        what = f"{len(returned)} results" if is_list else f"a {type(returned).__name__}"  # type: ignore[arg-type]
        raise TerminalError(
            f"the batch handler returned {what} for {len(contexts)} messages: "
            "return a list with one output per message, or nothing"
        )
    return [_send_item(ctx, item) for ctx, item in zip(contexts, returned)]


def _send_item(ctx: Context, item: object) -> BaseException | None:
    if isinstance(item, BaseException):
        return item
    try:
        ctx._send_returned(item)
    except BaseException as error:
        return error
    return None
