"""Trace search: a query over the traces of a time range, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from pocket.query.traceql import ast, pushdown
from pocket.query.traceql.fields import Evaluate, compile_field
from pocket.query.traceql.source import TraceSource
from pocket.query.traceql.spansets import Spanset, compile_pipeline
from pocket.query.traceql.trace import Trace
from pocket.rows import Span

SECOND = 10**9


@dataclass(slots=True)
class Match:
    """A trace, the spansets of it that the query selects, and the fields of each span that the query names."""

    trace: Trace
    spansets: list[Spanset]
    fields: dict[str, Evaluate]


def search(
    source: TraceSource,
    query: ast.Query,
    start_ns: int,
    end_ns: int,
    *,
    limit: int,
) -> list[Match]:
    """At most `limit` traces; spans must start in [start, end). Raises Impossible."""
    fields = named_fields(query)
    found: list[Match] = []
    for trace, spansets in matches(source, query, start_ns, end_ns):
        found.append(Match(trace, spansets, fields))
        if len(found) >= limit:
            break
    return sorted(found, key=lambda match: -match.trace.start_ns)


def matches(
    source: TraceSource, query: ast.Query, start_ns: int, end_ns: int
) -> Iterator[tuple[Trace, list[Spanset]]]:
    """Every trace with a spanset that passes the pipeline. Spans outside the range count for the tree alone."""
    run = compile_pipeline(query.pipeline)
    for batch in source.newest(start_ns, end_ns, **asdict(pushdown.filters(query))):
        for spans in by_trace(batch):
            trace = Trace(spans)
            inside = [span for span in trace.spans if start_ns <= span.start_ns < end_ns]
            spansets = run([Spanset(inside)], trace) if inside else []
            if spansets:
                yield trace, spansets


def by_trace(batch: list[Span]) -> list[list[Span]]:
    traces: dict[str, list[Span]] = {}
    for span in batch:
        traces.setdefault(span.trace_id, []).append(span)
    return list(traces.values())


# ---- the fields that a search shows
# Known of every result already, or shown in places of their own.
_SHOWN_ANYWAY = {"name", "duration", "traceDuration", "rootServiceName", "rootName", "trace:id", "span:id"}


def named_fields(query: ast.Query) -> dict[str, Evaluate]:
    """Key → value of the attributes and intrinsics that the query mentions, in order of appearance."""
    named: dict[str, Evaluate] = {}
    for node in _mentioned(query.pipeline):
        key = node.name
        if not (isinstance(node, ast.Intrinsic) and key in _SHOWN_ANYWAY):
            named.setdefault(key, compile_field(node))
    return named


def mentions_name(query: ast.Query) -> bool:
    return any(node == ast.Intrinsic("name") for node in _mentioned(query.pipeline))


def _mentioned(node: object) -> Iterator[ast.Named]:
    match node:
        case ast.Attribute() | ast.Intrinsic():
            yield node
        case ast.Pipeline(elements) | ast.Select(elements):
            for element in elements:
                yield from _mentioned(element)
        case ast.SpansetFilter(inner) | ast.Group(inner) | ast.Unary(_, inner) | ast.Aggregate(_, inner):
            yield from _mentioned(inner)
        case ast.ScalarFilter(aggregate):
            yield from _mentioned(aggregate)
        case ast.SpansetOperation(_, left, right) | ast.Binary(_, left, right):
            yield from _mentioned(left)
            yield from _mentioned(right)
