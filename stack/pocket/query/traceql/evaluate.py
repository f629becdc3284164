"""A query's pipeline over the traces of a time range, for search and metrics alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from pocket.budget import current
from pocket.query.traceql import ast, pushdown
from pocket.query.traceql.source import TraceSource
from pocket.query.traceql.spansets import Spanset, compile_pipeline
from pocket.query.traceql.trace import Trace
from pocket.rows import Span


def matches(
    source: TraceSource, query: ast.Query, start_ns: int, end_ns: int
) -> Iterator[tuple[Trace, list[Spanset]]]:
    """Every trace with a spanset that passes the pipeline. Spans outside the range count for the tree alone."""
    run = compile_pipeline(query.pipeline)
    budget = current()
    for batch in source.newest(start_ns, end_ns, **asdict(pushdown.filters(query))):
        for spans in by_trace(batch):
            budget.check()
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
