"""The message types of the tests' bundle, and its ``public_input_pb2.py`` as protoc would write it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, struct_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.internal import builder

_LABELS = {"": Field.LABEL_OPTIONAL, "*": Field.LABEL_REPEATED}
_TYPES = {
    "string": Field.TYPE_STRING,
    "bytes": Field.TYPE_BYTES,
    "int32": Field.TYPE_INT32,
    "int64": Field.TYPE_INT64,
    "double": Field.TYPE_DOUBLE,
    "bool": Field.TYPE_BOOL,
}


def _message(name: str, /, **fields: str) -> descriptor_pb2.DescriptorProto:
    """``name="int32*"``: a repeated int32; types that begin with "." are messages, with "=" enums."""
    message = descriptor_pb2.DescriptorProto(name=name)
    for number, (field_name, text) in enumerate(fields.items(), 1):
        type_name = text.rstrip("*")
        label = _LABELS["*" if text.endswith("*") else ""]
        field = message.field.add(name=field_name, number=number, label=label)
        if type_name.startswith("."):
            field.type, field.type_name = Field.TYPE_MESSAGE, type_name
        elif type_name.startswith("="):
            field.type, field.type_name = Field.TYPE_ENUM, type_name[1:]
        else:
            field.type = _TYPES[type_name]
    return message


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="public_input.proto",
        package="demo",
        syntax="proto3",
        dependency=[
            "google/protobuf/any.proto",
            "google/protobuf/struct.proto",
            "google/protobuf/timestamp.proto",
        ],
    )
    color = file.enum_type.add(name="Color")
    color.value.add(name="RED", number=0)
    color.value.add(name="BLUE", number=1)
    file.message_type.extend(
        (
            _message("Request", name="string"),
            _message("Response", greeting="string"),
            _message("Other", text="string"),
            _message("Point", x="double", y="double"),
            _message(
                "Rich",
                id="int64",
                score="double",
                is_new="bool",
                image="bytes",
                color="=.demo.Color",
                point=".demo.Point",
                points=".demo.Point*",
                numbers="int32*",
                when=".google.protobuf.Timestamp",
                more=".google.protobuf.Struct",
                anything=".google.protobuf.Any",
            ),
        )
    )
    return file


def _with_dependencies(file: descriptor_pb2.FileDescriptorProto) -> bytes:
    files: list[Any] = []
    for module in (any_pb2, struct_pb2, timestamp_pb2):
        known = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(known)
        files.append(known)
    return descriptor_pb2.FileDescriptorSet(file=[*files, file]).SerializeToString()


FILE = _file()
DESCRIPTOR_SET = _with_dependencies(FILE)


def write_pb2(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "public_input_pb2.py").write_text(
        "from google.protobuf import descriptor_pool as _pool\n"
        "from google.protobuf import any_pb2, struct_pb2, timestamp_pb2\n"
        "from google.protobuf.internal import builder as _builder\n"
        f"DESCRIPTOR = _pool.Default().AddSerializedFile({FILE.SerializeToString()!r})\n"
        "_builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())\n"
        "_builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, 'public_input_pb2', globals())\n",
        encoding="utf-8",
    )


def _load_pb2() -> Any:
    module = ModuleType("public_input_pb2")
    descriptor = descriptor_pool.Default().AddSerializedFile(FILE.SerializeToString())
    builder.BuildMessageAndEnumDescriptors(descriptor, module.__dict__)
    builder.BuildTopDescriptorsAndMessages(descriptor, "public_input_pb2", module.__dict__)
    return module


pb = _load_pb2()
"""The module of ``write_pb2``, in this process."""
