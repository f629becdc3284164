"""OTLP spans to rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pocket.receive.bounds import Bounds
from pocket.receive.otlp.attributes import attributes
from pocket.receive.otlp.rejected import Rejected
from pocket.rows import Span, SpanEvent, SpanLink

_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)


def spans(request: Any, bounds: Bounds) -> tuple[list[Span], Rejected]:
    """The spans of an ExportTraceServiceRequest; refused are those without valid ids or outside of the history."""
    rows: list[Span] = []
    rejected = Rejected()
    for resource_spans in request.resource_spans:
        resource = attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope
            name, version = scope.name, scope.version
            rows.extend(_rows(scope_spans.spans, resource, name, version, bounds, rejected))
    return rows, rejected


def _rows(
    items: Any, resource: dict[str, Any], scope: str, version: str, bounds: Bounds, rejected: Rejected
) -> Iterator[Span]:
    oldest, newest = bounds.oldest_ns, bounds.newest_ns
    for item in items:
        trace_id, span_id = item.trace_id, item.span_id
        start, end = item.start_time_unix_nano, item.end_time_unix_nano
        if len(trace_id) != 16 or len(span_id) != 8 or trace_id == _NO_TRACE or span_id == _NO_SPAN:
            rejected.add("trace ids must be 128 bit and span ids 64 bit, not all zero")
        elif not oldest <= start <= newest or end > newest:
            rejected.add("span outside of the history kept")
        else:
            status = item.status
            yield Span(
                trace_id.hex(), span_id.hex(), item.parent_span_id.hex(), item.name,
                _known(item.kind, 5), start, end, _known(status.code, 2), status.message,
                attributes(item.attributes), resource, scope, version, item.trace_state, item.flags,
                [SpanEvent(e.time_unix_nano, e.name, attributes(e.attributes)) for e in item.events],
                [SpanLink(x.trace_id.hex(), x.span_id.hex(), attributes(x.attributes)) for x in item.links],
            )  # fmt: skip


def _known(number: int, last: int) -> int:
    """Enums are open on the wire; a number of tomorrow reads as unspecified."""
    return number if 0 <= number <= last else 0
