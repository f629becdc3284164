"""OTLP spans to rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pocket.admission.bounds import Bounds
from pocket.admission.limits import TOO_LARGE, Allowance, Rejected, fitting
from pocket.receive.otlp.attributes import attributes
from pocket.rows import Attributes, Span, SpanEvent, SpanLink

_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)


def spans(request: Any, bounds: Bounds) -> tuple[list[Span], Rejected]:
    """The spans of an ExportTraceServiceRequest; refused are those that are too large, have no valid ids, or lie
    outside of the history. Raises BodyError for more than a request may hold.
    """
    rows: list[Span] = []
    rejected, allowance, fits = Rejected(), Allowance(), fitting(request)
    for resource_spans in request.resource_spans:
        resource = attributes(resource_spans.resource.attributes) if fits(resource_spans.resource) else None
        for scope_spans in resource_spans.scope_spans:
            scope, items = scope_spans.scope, scope_spans.spans
            allowance.take(len(items))
            if resource is None or not fits(scope):
                rejected.add(f"spans of a resource or scope {TOO_LARGE}", len(items))
                continue
            good = (item for item in items if _is_good(item, bounds, fits, rejected))
            name, version, attributes_ = scope.name, scope.version, attributes(scope.attributes)
            rows.extend(_row(item, resource, name, version, attributes_) for item in good)
    return rows, rejected


def _is_good(item: Any, bounds: Bounds, fits: Callable[[Any], bool], rejected: Rejected) -> bool:
    trace_id, span_id = item.trace_id, item.span_id
    if len(trace_id) != 16 or len(span_id) != 8 or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        rejected.add("trace ids must be 128 bit and span ids 64 bit, not all zero")
    elif not bounds.oldest_ns <= item.start_time_unix_nano <= bounds.newest_ns >= item.end_time_unix_nano:
        rejected.add("span outside of the history kept")
    elif not fits(item):
        rejected.add(f"span {TOO_LARGE}")
    else:
        return True
    return False


def _row(item: Any, resource: Attributes, scope: str, version: str, scope_attributes: Attributes) -> Span:
    status = item.status
    return Span(
        item.trace_id.hex(), item.span_id.hex(), item.parent_span_id.hex(), item.name, _known(item.kind, 5),
        item.start_time_unix_nano, item.end_time_unix_nano, _known(status.code, 2), status.message,
        attributes(item.attributes), resource, scope, version, item.trace_state, item.flags,
        [SpanEvent(e.time_unix_nano, e.name, attributes(e.attributes)) for e in item.events],
        [SpanLink(x.trace_id.hex(), x.span_id.hex(), attributes(x.attributes)) for x in item.links],
        scope_attributes,
    )  # fmt: skip


def _known(number: int, last: int) -> int:
    """Enums are open on the wire; a number of tomorrow reads as unspecified."""
    return number if 0 <= number <= last else 0
