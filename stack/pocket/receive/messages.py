"""Protobuf messages of three small formats, built at run time: no generated code, no protoc.

Sources: Loki `pkg/push/push.proto`, Pyroscope `api/push/v1/push.proto` and `api/types/v1/types.proto`, pprof
`proto/profile.proto`. Only the fields that are read are named; protobuf skips the rest.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_MESSAGES = """
PushRequest: *streams=1:Stream
Stream: labels=1:string *entries=2:Entry
Entry: timestamp=1:Timestamp line=2:string *structuredMetadata=3:Pair
Timestamp: seconds=1:int64 nanos=2:int32
Pair: name=1:string value=2:string

ProfilePush: *series=1:RawProfileSeries
RawProfileSeries: *labels=1:Pair *samples=2:RawSample
RawSample: rawProfile=1:bytes ID=2:string

Profile: *sample_type=1:ValueType *sample=2:Sample *location=4:Location *function=5:Function \
*string_table=6:string time_nanos=9:int64 duration_nanos=10:int64 period_type=11:ValueType period=12:int64
ValueType: type=1:int64 unit=2:int64
Sample: *location_id=1:uint64 *value=2:int64 *label=3:Label
Label: key=1:int64 str=2:int64 num=3:int64
Location: id=1:uint64 *line=4:Line
Line: function_id=1:uint64
Function: id=1:uint64 name=2:int64
"""

_Field = descriptor_pb2.FieldDescriptorProto


def _build() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="pocket/messages.proto", package="pocket", syntax="proto3")
    for line in filter(None, _MESSAGES.splitlines()):
        name, fields = line.split(": ", 1)
        message = file.message_type.add(name=name)
        for field in fields.split():
            message.field.append(_field(field))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"pocket.{message.name}"))
        for message in file.message_type
    }


def _field(text: str) -> descriptor_pb2.FieldDescriptorProto:
    """`*name=number:type` to its descriptor; the star means repeated."""
    name, rest = text.lstrip("*").split("=")
    number, kind = rest.split(":")
    label = _Field.LABEL_REPEATED if text.startswith("*") else _Field.LABEL_OPTIONAL
    field = _Field(name=name, number=int(number), label=label)
    if kind[0].isupper():
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".pocket.{kind}"
    else:
        field.type = getattr(_Field, f"TYPE_{kind.upper()}")
    return field


_classes = _build()
LokiPush: Any = _classes["PushRequest"]
ProfilePush: Any = _classes["ProfilePush"]
Profile: Any = _classes["Profile"]
