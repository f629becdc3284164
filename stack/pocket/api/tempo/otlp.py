"""Spans in OTLP's messages, and those in Tempo's: Trace and TraceByIDResponse (pkg/tempopb/tempo.proto).

Tempo's wrappers are one length-delimited field each, so they are put around OTLP's bytes by hand:
`Trace {repeated ResourceSpans resourceSpans = 1}` has the wire form of OTLP's TracesData, and
`TraceByIDResponse {Trace trace = 1; TraceByIDMetrics metrics = 2}`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanProto

from pocket.rows import Span

Json = dict[str, Any]
ScopeKey = tuple[str, str, bytes]  # name, version, attributes


def traces_data(spans: Sequence[Span]) -> TracesData:
    """Spans grouped by resource and instrumentation scope."""
    resources: dict[bytes, dict[ScopeKey, list[Span]]] = {}
    for span in spans:
        scopes = resources.setdefault(_key(span.resource), {})
        scope = (span.scope_name, span.scope_version, _key(span.scope_attributes))
        scopes.setdefault(scope, []).append(span)
    return TracesData(resource_spans=[_resource_spans(scopes) for scopes in resources.values()])


def _key(attributes: Mapping[str, Any]) -> bytes:
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)


def _resource_spans(scopes: Mapping[ScopeKey, list[Span]]) -> ResourceSpans:
    first = next(iter(scopes.values()))[0]
    return ResourceSpans(
        resource=Resource(attributes=_attributes(first.resource)),
        scope_spans=[
            ScopeSpans(scope=_scope(spans[0]), spans=[_span(s) for s in spans]) for spans in scopes.values()
        ],
    )


def _scope(span: Span) -> InstrumentationScope:
    attributes = _attributes(span.scope_attributes)
    return InstrumentationScope(name=span.scope_name, version=span.scope_version, attributes=attributes)


def _span(span: Span) -> SpanProto:
    return SpanProto(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_span_id),
        trace_state=span.trace_state,
        flags=span.flags,
        name=span.name,
        kind=span.kind,  # type: ignore[arg-type]
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=_attributes(span.attributes),
        events=[
            SpanProto.Event(time_unix_nano=event.t_ns, name=event.name, attributes=_attributes(event.attributes))
            for event in span.events
        ],
        links=[
            SpanProto.Link(
                trace_id=bytes.fromhex(link.trace_id),
                span_id=bytes.fromhex(link.span_id),
                attributes=_attributes(link.attributes),
            )
            for link in span.links
        ],
        status=Status(code=span.status, message=span.status_message),  # type: ignore[arg-type]
    )


def _attributes(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=any_value(value)) for name, value in attributes.items()]


def any_value(value: Any) -> AnyValue:
    """OTLP's AnyValue of a Python value; what is none of its types becomes text."""
    message = AnyValue()
    match value:
        case None:
            pass
        case bool():
            message.bool_value = value
        case int() if -(2**63) <= value < 2**63:
            message.int_value = value
        case float():
            message.double_value = value
        case list() | tuple():
            message.array_value.values.extend(any_value(item) for item in value)
            message.array_value.SetInParent()
        case dict():
            message.kvlist_value.values.extend(_attributes(value))
            message.kvlist_value.SetInParent()
        case _:
            message.string_value = str(value)
    return message


# ---- protobuf
def trace_bytes(spans: Sequence[Span]) -> bytes:
    """Tempo's `Trace`: the body of a v1 answer."""
    return traces_data(spans).SerializeToString()


def trace_response_bytes(spans: Sequence[Span]) -> bytes:
    """Tempo's `TraceByIDResponse`: the body of a v2 answer."""
    body = trace_bytes(spans)
    return b"\x0a" + _varint(len(body)) + body + b"\x12\x00"  # field 1 trace, field 2 metrics (empty)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


# ---- JSON: gogo jsonpb's, not OTLP's: ids in base64, enums by name, 64-bit numbers as strings
def resource_spans_json(spans: Sequence[Span]) -> list[Json]:
    """`resourceSpans`, grouped by resource and scope."""
    return [_resource_json(item) for item in traces_data(spans).resource_spans]


def _resource_json(message: ResourceSpans) -> Json:
    return {
        "resource": {"attributes": attributes_json(message.resource.attributes)},
        "scopeSpans": [
            {
                "scope": _scope_json(item.scope),
                "spans": [_span_json(span) for span in item.spans],
            }
            for item in message.scope_spans
        ],
    }


def _scope_json(scope: InstrumentationScope) -> Json:
    return _present(name=scope.name, version=scope.version, attributes=attributes_json(scope.attributes))


def _span_json(span: SpanProto) -> Json:
    head = _present(
        traceId=_base64(span.trace_id), spanId=_base64(span.span_id), parentSpanId=_base64(span.parent_span_id),
        traceState=span.trace_state, flags=span.flags, name=span.name,
    )  # fmt: skip
    if span.kind:
        head["kind"] = SpanProto.SpanKind.Name(span.kind)
    head["startTimeUnixNano"] = str(span.start_time_unix_nano)
    head["endTimeUnixNano"] = str(span.end_time_unix_nano)
    return {
        **head,
        **_present(
            attributes=attributes_json(span.attributes),
            events=[_event_json(event) for event in span.events],
            links=[_link_json(link) for link in span.links],
        ),
        "status": _status_json(span.status),
    }


def _event_json(event: SpanProto.Event) -> Json:
    return {
        "timeUnixNano": str(event.time_unix_nano),
        **_present(name=event.name, attributes=attributes_json(event.attributes)),
    }


def _link_json(link: SpanProto.Link) -> Json:
    return _present(
        traceId=_base64(link.trace_id), spanId=_base64(link.span_id), attributes=attributes_json(link.attributes)
    )


def _status_json(status: Status) -> Json:
    code = {"code": Status.StatusCode.Name(status.code)} if status.code else {}
    return {**_present(message=status.message), **code}


def attributes_json(attributes: Iterable[KeyValue]) -> list[Json]:
    return [{"key": item.key, "value": value_json(item.value)} for item in attributes]


def value_json(value: AnyValue) -> Json:
    """An AnyValue as `{"stringValue": …}` and so on; {} for none."""
    match value.WhichOneof("value"):
        case "string_value":
            return {"stringValue": value.string_value}
        case "bool_value":
            return {"boolValue": value.bool_value}
        case "int_value":
            return {"intValue": str(value.int_value)}
        case "double_value":
            return {"doubleValue": value.double_value}
        case "array_value":
            return {"arrayValue": _present(values=[value_json(item) for item in value.array_value.values])}
        case "kvlist_value":
            return {"kvlistValue": _present(values=attributes_json(value.kvlist_value.values))}
        case "bytes_value":
            return {"bytesValue": _base64(value.bytes_value)}
    return {}


def _present(**fields: Any) -> Json:
    """jsonpb leaves out what has its default."""
    return {name: value for name, value in fields.items() if value}


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
