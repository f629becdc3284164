"""Protobuf messages of three small formats.

Sources: Loki `pkg/push/push.proto`, Pyroscope `api/push/v1/push.proto` and `api/types/v1/types.proto`, pprof
`proto/profile.proto`. Only the fields that are read are named; protobuf skips the rest.
"""

from __future__ import annotations

from typing import Any

from pocket.wire import messages

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

_classes = messages("pocket", _MESSAGES)
LokiPush: Any = _classes["PushRequest"]
ProfilePush: Any = _classes["ProfilePush"]
Profile: Any = _classes["Profile"]
