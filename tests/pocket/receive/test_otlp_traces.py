import os
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from pocket.admission.bounds import Bounds
from pocket.receive.otlp.attributes import attributes
from pocket.receive.otlp.traces import spans
from pocket.rows import Span, SpanEvent, SpanLink

TRACE, SPAN, PARENT = bytes(range(16)), bytes(range(8)), bytes(range(1, 9))


def pair(key: str, **value: Any) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**value))


def one(**fields: Any) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(pair("service.name", string_value="roller"))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name, scope_spans.scope.version = "lib", "1.0"
    scope_spans.scope.attributes.append(pair("mode", string_value="auto"))
    scope_spans.spans.add(**fields)
    return request


def test_every_field_of_a_span(now: int, bounds: Bounds) -> None:
    request = one(
        trace_id=TRACE, span_id=SPAN, parent_span_id=PARENT, name="roll", kind=2, start_time_unix_nano=now,
        end_time_unix_nano=now + 5, trace_state="a=b", flags=257, attributes=[pair("n", int_value=3)],
        status={"code": 2, "message": "broken"},
        events=[{"time_unix_nano": 7, "name": "exception", "attributes": [pair("e", bool_value=True)]}],
        links=[{"trace_id": TRACE, "span_id": PARENT, "attributes": [pair("l", double_value=0.5)]}],
    )  # fmt: skip
    [row], rejected = spans(request, bounds)
    assert rejected.count == 0
    assert row == Span(
        TRACE.hex(), SPAN.hex(), PARENT.hex(), "roll", 2, now, now + 5, 2, "broken", {"n": 3},
        {"service.name": "roller"}, "lib", "1.0", "a=b", 257, [SpanEvent(7, "exception", {"e": True})],
        [SpanLink(TRACE.hex(), PARENT.hex(), {"l": 0.5})], {"mode": "auto"},
    )  # fmt: skip


def test_every_kind_of_attribute() -> None:
    pairs = [
        pair("s", string_value="x"), pair("empty", string_value=""), pair("t", bool_value=True),
        pair("f", bool_value=False), pair("i", int_value=-(2**63)), pair("zero", int_value=0),
        pair("d", double_value=1.5), pair("nan", double_value=float("nan")),
        pair("inf", double_value=float("-inf")),
        pair("b", bytes_value=b"\xff\x00"), KeyValue(key="none"),
        pair("a", array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="y")])),
        pair("k", kvlist_value=KeyValueList(values=[pair("x", int_value=1)])),
    ]  # fmt: skip
    assert attributes(pairs) == {
        "s": "x", "empty": "", "t": True, "f": False, "i": -(2**63), "zero": 0, "d": 1.5, "nan": "nan",
        "inf": "-inf",
        "b": "/wA=", "none": None, "a": [1, "y"], "k": {"x": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("trace_id", "span_id"),
    [(b"", SPAN), (TRACE, b""), (bytes(16), SPAN), (TRACE, bytes(8)), (TRACE[:8], SPAN), (TRACE + b"x", SPAN)],
)
def test_spans_without_valid_ids_are_rejected(trace_id: bytes, span_id: bytes, now: int, bounds: Bounds) -> None:
    rows, rejected = spans(
        one(trace_id=trace_id, span_id=span_id, start_time_unix_nano=now, end_time_unix_nano=now), bounds
    )
    assert rows == []
    assert rejected.count == 1
    assert "128 bit" in rejected.message


@pytest.mark.parametrize("start", [0, 1, 10**9, 4 * 10**18, 2**64 - 1])
def test_spans_outside_of_the_history_are_rejected(start: int, bounds: Bounds) -> None:
    request = one(trace_id=TRACE, span_id=SPAN, start_time_unix_nano=start, end_time_unix_nano=start)
    assert spans(request, bounds)[1].message == "span outside of the history kept (1)"


def test_numbers_of_tomorrow_read_as_unspecified(now: int, bounds: Bounds) -> None:
    request = one(trace_id=TRACE, span_id=SPAN, start_time_unix_nano=now, end_time_unix_nano=now, kind=99)
    request.resource_spans[0].scope_spans[0].spans[0].status.code = -4  # type: ignore[assignment]
    [row], _ = spans(request, bounds)
    assert (row.kind, row.status) == (0, 0)


def test_one_bad_span_does_not_cost_the_others(now: int, bounds: Bounds) -> None:
    request = one(trace_id=TRACE, span_id=SPAN, start_time_unix_nano=now, end_time_unix_nano=now)
    items = request.resource_spans[0].scope_spans[0].spans
    items.add(trace_id=os.urandom(16), span_id=b"", start_time_unix_nano=now)
    rows, rejected = spans(request, bounds)
    assert (len(rows), rejected.count) == (1, 1)
