"""Exceptions of user code, in the words of the bundle's author."""

from __future__ import annotations

import os
import sys
import traceback

from .handler_errors import LimitError, PayloadError, ServiceError, TerminalError

_TEXT_CHARS_MAX = 16 * 1024
_STACK_CHARS_MAX = 64 * 1024
_ENTRYPOINT = "entrypoint"
_INVALID_ARGUMENT = 3
_RESOURCE_EXHAUSTED = 8
_INTERNAL = 13
_OWN_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


def failure_text(error: BaseException) -> str:
    """What the caller is told: the exception's message, with its type where the message alone says nothing."""
    if isinstance(error, SystemExit):
        return f"user code called sys.exit({'' if error.code is None else error.code})"
    text = _message_of(error)
    name = type(error).__name__
    if text == "":
        text = name
    elif isinstance(error, (KeyError, KeyboardInterrupt)):
        text = f"{name}: {text}"
    return _cut(text, _TEXT_CHARS_MAX)


def failure_status(error: BaseException, from_node: str) -> int:
    """The google.rpc.Code that the caller is answered, the same as for a TypeScript handler.

    The caller is to blame for a malformed request, the size of an output is a limit; all else is the handler's failure.
    """
    if isinstance(error, PayloadError) and error.malformed and from_node == _ENTRYPOINT:
        return _INVALID_ARGUMENT
    if isinstance(error, LimitError):
        return _RESOURCE_EXHAUSTED
    if isinstance(error, ServiceError) and error.status_code == _RESOURCE_EXHAUSTED:
        return _RESOURCE_EXHAUSTED
    return _INTERNAL


def failure_stack(error: BaseException) -> str:
    """The traceback without the frames of this package."""
    try:
        whole = traceback.TracebackException.from_exception(error)
        part: traceback.TracebackException | None = whole
        while part is not None:
            part.stack = traceback.StackSummary.from_list(
                [frame for frame in part.stack if not frame.filename.startswith(_OWN_FOLDER)]
            )
            part = part.__cause__ or part.__context__
        return _cut("".join(whole.format()), _STACK_CHARS_MAX)
    except Exception as broken:
        # User exceptions can break their own formatting; the name is left.
        return f"{type(error).__name__} (its traceback can't be formatted: {type(broken).__name__})"


def describe_load_error(error: BaseException, base_path: str, handler_path: str) -> str:
    """``src/etl.py:3: ModuleNotFoundError: No module named 'numpy'``: place in the bundle, kind, reason, on one line."""
    if isinstance(error, (SystemExit, TerminalError)):
        reason = failure_text(error)
    else:
        first_line = (_syntax_reason(error) or _message_of(error)).partition("\n")[0]
        name = type(error).__name__
        reason = f"{name}: {first_line}" if first_line else name
    place = _place_of(error, base_path) or handler_path
    folders = {os.path.realpath(base_path), base_path, *sys.path} - {"", os.sep}
    for folder in sorted(folders, key=len, reverse=True):
        reason = reason.replace(os.path.join(folder, ""), "")
    return f"{place}: {_cut(reason, _TEXT_CHARS_MAX)}{_import_hint(error)}"


def _import_hint(error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    package = error.name.partition(".")[0]
    if package in getattr(sys, "stdlib_module_names", ()):  # since Python 3.10
        return f" (Python's own module {package!r} comes first: rename the one of the bundle)"
    if error.name.endswith("_pb2"):
        proto = f"{error.name.rpartition('.')[2][: -len('_pb2')]}.proto"
        return (
            f" (modules are made of the entrypoint's .proto and what it imports: import {proto} there, "
            "or pack the module)"
        )
    return " (the bundle has none; packages are listed in its requirements.txt)"


def _syntax_reason(error: BaseException) -> str | None:
    return error.msg if isinstance(error, SyntaxError) else None


def _place_of(error: BaseException, base_path: str) -> str | None:
    if isinstance(error, SyntaxError) and error.filename:
        inside = _inside(error.filename, base_path)
        if inside is not None:
            return f"{inside}:{error.lineno or 1}"
    # The last frame in the bundle: what it called is a library.
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        inside = _inside(frame.filename, base_path)
        if inside is not None:
            return f"{inside}:{frame.lineno}"
    return None


def _inside(path: str, base_path: str) -> str | None:
    root = os.path.join(os.path.realpath(base_path), "")
    real = os.path.realpath(path)
    is_library = "site-packages" in real
    return real[len(root) :] if real.startswith(root) and not is_library else None


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:
        return f"{type(error).__name__} (its text can't be made: {type(broken).__name__})"


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]}… ({len(text) - chars} more characters)"
