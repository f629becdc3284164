"""Tempo's OTLP/JSON → spans, and chains of spans in a trace."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.check.manifest import Hop

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}


@dataclass(frozen=True)
class TraceSpan:
    service: str
    name: str
    kind: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]


def spans(trace: dict[str, Any]) -> list[TraceSpan]:
    """All spans of `{"resourceSpans": …}`; ids as hex whether they came as base64 (Tempo) or hex (OTLP)."""
    return [span for resource in trace.get("resourceSpans", ()) for span in _of_resource(resource)]


def _of_resource(resource: dict[str, Any]) -> Iterator[TraceSpan]:
    service = str(_attributes(resource.get("resource", {})).get("service.name", ""))
    for scope in resource.get("scopeSpans", ()):
        for span in scope.get("spans", ()):
            yield TraceSpan(
                service=service,
                name=span.get("name", ""),
                kind=_kind(span.get("kind", 0)),
                span_id=_hex(span.get("spanId", "")),
                parent_id=_hex(span.get("parentSpanId", "")),
                start_ns=int(span.get("startTimeUnixNano", 0)),
                end_ns=int(span.get("endTimeUnixNano", 0)),
                attributes=_attributes(span),
            )


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    return {item["key"]: next(iter(item.get("value", {}).values()), None) for item in holder.get("attributes", ())}


def _kind(value: Any) -> str:
    return KINDS.get(value, "") if isinstance(value, int) else str(value).removeprefix("SPAN_KIND_")


def _hex(value: str) -> str:
    if len(value) == 16 and re.fullmatch(r"[0-9a-f]{16}", value):
        return value
    try:
        return base64.b64decode(value).hex()
    except binascii.Error:
        return value


def missing_hop(found: Sequence[TraceSpan], path: Sequence[Hop]) -> Hop | None:
    """The first hop of the chain with no span below the hop before it; None when the chain is whole."""
    parents = {span.span_id: span.parent_id for span in found}
    above: set[str] | None = None
    for hop in path:
        matching = [span for span in found if _matches(span, hop)]
        if above is not None:
            matching = [span for span in matching if not above.isdisjoint(_ancestors(span.span_id, parents))]
        if not matching:
            return hop
        above = {span.span_id for span in matching}
    return None


def _matches(span: TraceSpan, hop: Hop) -> bool:
    return span.service == hop.service and hop.kind in ("", span.kind) and bool(re.fullmatch(hop.name, span.name))


def _ancestors(span_id: str, parents: dict[str, str]) -> set[str]:
    seen: set[str] = set()
    while (parent := parents.get(span_id)) and parent not in seen:
        seen.add(parent)
        span_id = parent
    return seen


def describe(hop: Hop) -> str:
    return f"{hop.service} “{hop.name}”{f' ({hop.kind})' if hop.kind else ''}"
