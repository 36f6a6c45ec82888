"""The services of a context. Names, arguments and results are those of ``Call`` in worker.proto.

Every method that talks to the runner may be awaited in an async handler and is called without ``await`` in a sync
one, where it returns when the runner has answered.
"""

from __future__ import annotations

import builtins
import re
import time as clock
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .call_port import Answer, CallPort
from .handler_errors import TerminalError
from .worker_frame import Buffer

_UNIT_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def nothing(_result: Any, _data: Buffer) -> None:
    return None


def json_result(result: Any, _data: Buffer) -> Any:
    return result


class Database:
    """``ctx.db``"""

    def __init__(self, call: CallPort) -> None:
        self._call = call

    def save(self, coll: str, data: Mapping[str, Any]) -> Answer[None]:
        """Done when the store has the document. Raises ServiceError when it is refused or not confirmed in time."""
        _check_name("ctx.db.save", "collection", coll)
        if not isinstance(data, Mapping):
            raise TerminalError(
                f"[ctx.db.save] a document is a dict; this is a {type(data).__name__}"
            )
        return self._call.service(
            "db", "save", {"collection": coll, "document": data}, b"", nothing
        )

    def find(self, coll: str, query: Mapping[str, Any]) -> Answer[list[dict[str, Any]]]:
        """The documents that ``save`` wrote and that match ``query``, a non-empty dict."""
        _check_name("ctx.db.find", "collection", coll)
        if not isinstance(query, Mapping) or not query:
            raise TerminalError(f"[ctx.db.find] invalid 'query'='{query}', must be a nonempty dict")
        return self._call.service(
            "db", "find", {"collection": coll, "query": query}, b"", json_result
        )


class Measurement:
    """``ctx.measurement``"""

    PRECISION_S = "s"
    PRECISION_MS = "ms"
    PRECISION_US = "us"
    PRECISION_NS = "ns"

    def __init__(self, call: CallPort) -> None:
        self._call = call

    def save(
        self,
        measurement: str,
        fields: Mapping[str, int | float | str | bool],
        tags: Mapping[str, str] | None = None,
        time: datetime | int | None = None,
        precision: str = PRECISION_NS,
    ) -> Answer[None]:
        """Needs no ``await``: a refused measurement is logged.

        ``time``: a datetime (UTC when it has no zone) or an integer in units of ``precision``; now when left out.
        """
        arguments = {
            "measurement": measurement,
            "fields": fields,
            "tags": {key: str(value) for key, value in (tags or {}).items() if value is not None},
            "timeNs": str(_time_ns(time, precision)),
        }
        return self._call.service("measurement", "save", arguments, b"", nothing)


class ObjectStore:
    """``ctx.object_store``"""

    def __init__(self, call: CallPort) -> None:
        self._call = call

    def save(self, key: str, payload: Buffer) -> Answer[None]:
        """Stores bytes, or anything that lends its bytes (numpy arrays); none at all is fine, too."""
        _check_name("ctx.object_store.save", "key", key)
        try:
            # A copy of what could change before it is sent; bytes can't.
            data = payload if isinstance(payload, bytes) else memoryview(payload).tobytes()
        except TypeError as error:
            raise TerminalError(
                f"[ctx.object_store.save] the payload is bytes; this is a {type(payload).__name__}"
            ) from error
        return self._call.service("object_store", "save", {"key": key}, data, nothing)

    def get(self, key: str) -> Answer[bytes]:
        """Raises ServiceError when there is no object of that key."""
        _check_name("ctx.object_store.get", "key", key)
        return self._call.service(
            "object_store", "get", {"key": key}, b"", lambda _, data: bytes(data)
        )

    def list(
        self, pattern: str | re.Pattern[str] | None = None, *, prefix: str | None = None
    ) -> Answer[builtins.list[str]]:
        """Keys by prefix, or by a regular expression without back references and look-around; all without either."""
        return self._call.service(
            "object_store", "list", _key_filter(pattern, prefix), b"", json_result
        )

    def delete(self, key: str) -> Answer[None]:
        _check_name("ctx.object_store.delete", "key", key)
        return self._call.service("object_store", "delete", {"key": key}, b"", nothing)

    def purge(
        self, pattern: str | re.Pattern[str] | None = None, *, prefix: str | None = None
    ) -> Answer[int]:
        """Deletes what ``list`` would give. The answer is how many objects that were."""
        return self._call.service(
            "object_store", "purge", _key_filter(pattern, prefix), b"", json_result
        )


class UndeclaredObjectStore:
    """``ctx.object_store`` of a node without one: false, and every use says what to do."""

    def __init__(self, node_name: str) -> None:
        self._text = f"node '{node_name}' has no object store: declare objectStore in its entry of the manifest"

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise TerminalError(self._text)


class Configuration:
    """``ctx.configuration``: text by key. ``node`` and ``workflow`` live with the version, ``project`` with the runtime."""

    def __init__(self, call: CallPort) -> None:
        self._call = call

    def set(self, key: str, value: str, scope: str = "node") -> Answer[None]:
        if not isinstance(value, str):
            raise TerminalError(
                f"[ctx.configuration.set] a value is a string; this is a {type(value).__name__}"
            )
        arguments = {"key": key, "value": value, "scope": _check_scope(scope)}
        return self._call.service("configuration", "set", arguments, b"", nothing)

    def get(self, key: str, scope: str | None = None) -> Answer[str]:
        """Without a scope: the first of node, workflow, project that has the key.

        Raises ServiceError ``No value found`` when none has.
        """
        arguments = {"key": key}
        if scope not in (None, "undefined"):  # KRE's own word for none
            arguments["scope"] = _check_scope(scope)
        return self._call.service("configuration", "get", arguments, b"", json_result)

    def delete(self, key: str, scope: str = "node") -> Answer[None]:
        arguments = {"key": key, "scope": _check_scope(scope)}
        return self._call.service("configuration", "delete", arguments, b"", nothing)


def _check_name(method: str, what: str, name: object) -> None:
    if not isinstance(name, str) or name == "":
        raise TerminalError(f"[{method}] invalid '{what}'='{name}', must be a nonempty string")


def _check_scope(scope: str | None) -> str:
    if scope in ("node", "workflow", "project"):
        return str(scope)
    raise TerminalError(
        f"[ctx.configuration] there is no scope {scope!r}: node, workflow or project"
    )


def _key_filter(pattern: str | re.Pattern[str] | None, prefix: str | None) -> dict[str, str]:
    source = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
    given = {"pattern": source, "prefix": prefix}
    return {name: value for name, value in given.items() if value is not None}


def _time_ns(time: datetime | int | None, precision: str) -> int:
    unit = _UNIT_NS.get(str(getattr(precision, "value", precision)))
    if unit is None:
        raise TerminalError(
            f"[ctx.measurement.save] there is no precision {precision!r}: s, ms, us or ns"
        )
    if time is None:
        time_ns = clock.time_ns()
    elif isinstance(time, datetime):
        since = (time if time.tzinfo else time.replace(tzinfo=timezone.utc)) - _EPOCH
        time_ns = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
    elif isinstance(time, int):
        time_ns = time * unit
    else:
        raise TerminalError(
            f"[ctx.measurement.save] a time is a datetime; this is a {type(time).__name__}"
        )
    return time_ns - time_ns % unit
