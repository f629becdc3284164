"""Protobuf messages built at run time from a table: no generated code, no protoc.

A line of the table is a message, `Name: field=number:type …`. A star before a field means repeated, a type with a
capital is another message of the same table; all else is a scalar type's name in the proto language.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto


def messages(package: str, table: str) -> dict[str, Any]:
    """The message classes of a table, by name. Fields that are not named are skipped by protobuf when reading."""
    file = descriptor_pb2.FileDescriptorProto(name=f"pocket/{package}.proto", package=package, syntax="proto3")
    for line in filter(None, table.splitlines()):
        name, fields = line.split(": ", 1)
        message = file.message_type.add(name=name)
        message.field.extend(_field(package, field) for field in fields.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{message.name}"))
        for message in file.message_type
    }


def _field(package: str, text: str) -> descriptor_pb2.FieldDescriptorProto:
    name, rest = text.lstrip("*").split("=")
    number, kind = rest.split(":")
    label = _Field.LABEL_REPEATED if text.startswith("*") else _Field.LABEL_OPTIONAL
    field = _Field(name=name, number=int(number), label=label)
    if kind[0].isupper():
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{kind}"
    else:
        field.type = getattr(_Field, f"TYPE_{kind.upper()}")
    return field
