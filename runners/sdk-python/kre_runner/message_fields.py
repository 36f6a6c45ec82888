"""Plain Python values and protobuf messages, in both directions."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from google.protobuf import json_format, struct_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from .handler_errors import TerminalError

# Descriptors are typed as Any: the classes behind them differ between protobuf's versions and implementations.

_EXACT_INTEGER_MAX = 2**53
"""A Struct holds numbers as doubles."""

_WELL_KNOWN_JSON = frozenset(
    f"google.protobuf.{name}"
    for name in ("Any", "Duration", "FieldMask", "Timestamp", "BoolValue", "BytesValue", "DoubleValue", "FloatValue",
                 "Int32Value", "Int64Value", "StringValue", "UInt32Value", "UInt64Value")
)  # fmt: skip
_STRUCT_TYPES = frozenset(
    ("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue")
)


# --- messages to values -------------------------------------------------------------------------


def message_to_dict(message: Message) -> dict[str, Any]:
    """Field names of the .proto; unset scalars have their default, unset messages are left out.

    Integers stay integers, enums are numbers and bytes are base64 text, as KRE's first entrypoints gave them.
    """
    values: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if _is_repeated(field):
            values[field.name] = _repeated_to_plain(field, getattr(message, field.name))
        elif not field.has_presence or message.HasField(field.name):
            values[field.name] = _single_to_plain(field, getattr(message, field.name))
    return values


def struct_to_dict(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _value_to_plain(value) for key, value in struct.fields.items()}


def _repeated_to_plain(field: Any, items: Any) -> Any:
    if not _is_map(field):
        return [_single_to_plain(field, item) for item in items]
    value_field = field.message_type.fields_by_name["value"]
    return {str(key): _single_to_plain(value_field, items[key]) for key in items}


def _single_to_plain(field: Any, value: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode("ascii")
    if field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE:
        return value
    name = field.message_type.full_name
    if name == "google.protobuf.Struct":
        return struct_to_dict(value)
    if name == "google.protobuf.Value":
        return _value_to_plain(value)
    if name == "google.protobuf.ListValue":
        return [_value_to_plain(item) for item in value.values]
    if name in _WELL_KNOWN_JSON:
        return _well_known_to_plain(value)
    return message_to_dict(value)


def _well_known_to_plain(value: Any) -> Any:
    try:
        return json_format.MessageToDict(
            value,
            preserving_proto_field_name=True,
            descriptor_pool=value.DESCRIPTOR.file.pool,
        )
    except TypeError:
        # An Any of a type that is not known here stays what it is.
        return {"@type": value.type_url, "value": base64.b64encode(value.value).decode("ascii")}


def _value_to_plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number = value.number_value
        # 1 was sent as 1.0; who sent it most likely meant an integer, and 1 == 1.0 for those who did not.
        return int(number) if number.is_integer() and abs(number) <= _EXACT_INTEGER_MAX else number
    if kind == "struct_value":
        return struct_to_dict(value.struct_value)
    if kind == "list_value":
        return [_value_to_plain(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


# --- values to messages -------------------------------------------------------------------------


def plain_value(value: Any) -> Any:
    """What numpy and the standard library have beside JSON's types, as those; other values as they are."""
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return value.tolist()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return value


def fill_struct(struct: struct_pb2.Struct, values: Mapping[Any, Any]) -> None:
    """Raises TerminalError naming what a Struct can't hold."""
    for key, value in values.items():
        if not isinstance(key, str):
            raise TerminalError(
                f"the keys of an output are strings; {key!r} is a {type(key).__name__}"
            )
        _fill_value(struct.fields[key], value, key)


def _fill_value(target: struct_pb2.Value, given: Any, path: str) -> None:
    value = plain_value(given)
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, (int, float)):
        if isinstance(value, int) and abs(value) > _EXACT_INTEGER_MAX:
            raise TerminalError(
                f'the integer {value} at "{path}" is above 2^53 and would lose digits between nodes: send it as a string'
            )
        target.number_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        fill_struct(target.struct_value, value)
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for index, item in enumerate(value):
            _fill_value(target.list_value.values.add(), item, f"{path}[{index}]")
    else:
        raise TerminalError(
            f'a {type(value).__name__} at "{path}" has no place in a google.protobuf.Struct'
        )


def fill_message(message: Message, values: Mapping[Any, Any]) -> None:
    """Sets fields by their names in the .proto, or in camelCase.

    Raises TerminalError naming a field that the type does not have or can't hold.
    """
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Struct":
        fill_struct(cast(struct_pb2.Struct, message), values)
        return
    for key, value in values.items():
        field = _find_field(message.DESCRIPTOR, key)
        if value is None:
            continue
        try:
            _set_field(message, field, value)
        except (TypeError, ValueError, json_format.ParseError) as error:
            raise TerminalError(
                f'field "{field.name}" of "{name}" can\'t hold {_short(value)}: {error}'
            ) from error


def _find_field(descriptor: Any, key: Any) -> Any:
    field = descriptor.fields_by_name.get(key) or descriptor.fields_by_camelcase_name.get(key)
    if field is not None:
        return field
    names = ", ".join(known.name for known in descriptor.fields) or "none"
    raise TerminalError(f'message "{descriptor.full_name}" has no field "{key}"; it has: {names}')


def _set_field(message: Message, field: Any, given: Any) -> None:
    if _is_map(field):
        _set_map(message, field, given)
    elif _is_repeated(field):
        items: list[Any] = given.tolist() if hasattr(given, "tolist") else given
        if isinstance(items, (str, bytes, Mapping)):
            raise TypeError("it is a list")
        target = getattr(message, field.name)
        for item in items:
            if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
                _fill_submessage(target.add(), item)
            else:
                target.append(_to_scalar(field, item))
    elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        submessage = getattr(message, field.name)
        submessage.SetInParent()
        _fill_submessage(submessage, given)
    else:
        setattr(message, field.name, _to_scalar(field, given))


def _set_map(message: Message, field: Any, given: Any) -> None:
    if not isinstance(given, Mapping):
        raise TypeError("it is a map")
    target = getattr(message, field.name)
    key_field = field.message_type.fields_by_name["key"]
    value_field = field.message_type.fields_by_name["value"]
    for key, value in given.items():
        typed_key = _to_map_key(key_field, key)
        if value_field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            _fill_submessage(target[typed_key], value)
        else:
            target[typed_key] = _to_scalar(value_field, value)


def _fill_submessage(message: Message, given: Any) -> None:
    if isinstance(given, Message):
        message.CopyFrom(given)
    elif message.DESCRIPTOR.full_name in _STRUCT_TYPES | _WELL_KNOWN_JSON:
        pool: Any = message.DESCRIPTOR.file.pool
        json_format.ParseDict(_deep_plain(given), message, descriptor_pool=pool)
    elif isinstance(given, Mapping):
        fill_message(message, given)
    else:
        raise TypeError(
            f'it is a message "{message.DESCRIPTOR.full_name}": give a dict of its fields'
        )


def _to_scalar(field: Any, given: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _to_bytes(given)
    value = plain_value(given)
    if isinstance(value, list):
        raise TypeError("it is no list")
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM and isinstance(value, str):
        return _enum_number(field.enum_type, value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if not isinstance(value, bool):
            raise TypeError("it is true or false")
        return value
    if field.cpp_type in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return float(value)
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
            raise TypeError("it is an integer")
        return int(value)
    return value


def _to_map_key(field: Any, key: Any) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return str(key)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL and isinstance(key, str):
        return {"true": True, "false": False}[key]
    return key if isinstance(key, bool) else int(key)


def _to_bytes(given: Any) -> bytes:
    if isinstance(given, str):
        try:
            return base64.b64decode(given, validate=True)
        except binascii.Error as error:
            raise ValueError(f"text for bytes is base64: {error}") from error
    return bytes(memoryview(given))


def _enum_number(enum: Any, name: str) -> int:
    value = enum.values_by_name.get(name)
    if value is None:
        raise ValueError(f'enum "{enum.full_name}" has no value "{name}"')
    return int(value.number)


def _deep_plain(given: Any) -> Any:
    value = plain_value(given)
    if isinstance(value, Mapping):
        return {str(key): _deep_plain(item) for key, item in value.items()}
    return [_deep_plain(item) for item in value] if isinstance(value, list) else value


def _is_repeated(field: Any) -> bool:
    if hasattr(field, "is_repeated"):  # protobuf 6 and later, where `label` is deprecated
        return bool(field.is_repeated)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED)


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
