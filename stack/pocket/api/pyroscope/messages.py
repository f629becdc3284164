"""Pyroscope's querier messages (api/querier/v1/querier.proto, api/types/v1/types.proto).

Only fields that are read or written are named; protobuf skips the rest.
"""

from __future__ import annotations

from pocket.wire import messages

_MESSAGES = """
ProfileTypesRequest: start=1:int64 end=2:int64
ProfileTypesResponse: *profile_types=1:ProfileType
ProfileType: ID=1:string name=2:string sample_type=4:string sample_unit=5:string period_type=6:string \
period_unit=7:string
LabelNamesRequest: *matchers=1:string start=2:int64 end=3:int64
LabelNamesResponse: *names=1:string
LabelValuesRequest: name=1:string *matchers=2:string start=3:int64 end=4:int64
LabelValuesResponse: *names=1:string
LabelPair: name=1:string value=2:string
Labels: *labels=1:LabelPair
SeriesRequest: *matchers=1:string *label_names=2:string start=3:int64 end=4:int64
SeriesResponse: *labels_set=2:Labels
SelectSeriesRequest: profile_typeID=1:string label_selector=2:string start=3:int64 end=4:int64 *group_by=5:string \
step=6:double aggregation=7:int32 limit=9:int64 exemplar_type=10:int32
SelectSeriesResponse: *series=1:Series
Series: *labels=1:LabelPair *points=2:Point
Point: value=1:double timestamp=2:int64
SelectMergeStacktracesRequest: profile_typeID=1:string label_selector=2:string start=3:int64 end=4:int64 \
max_nodes=5:int64 format=6:int32 *span_selector=11:string
SelectMergeStacktracesResponse: flamegraph=1:FlameGraph
SelectMergeSpanProfileRequest: profile_typeID=1:string label_selector=2:string *span_selector=3:string \
start=4:int64 end=5:int64 max_nodes=6:int64 format=7:int32
FlameGraph: *names=1:string *levels=2:Level total=3:int64 max_self=4:int64
Level: *values=1:int64
"""

MESSAGES = messages("querier", _MESSAGES)
