"""Search by TraceQL, and as it was before: by tags."""

from __future__ import annotations

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.form import BadRequest
from pocket.api.tempo import encode
from pocket.api.tempo import parameters as params
from pocket.query import traceql
from pocket.query.errors import QueryFailure
from pocket.query.traceql import ast
from pocket.store import Store


def search(call: Call) -> Response:
    asked = params.search(call.form)
    if not asked.query:
        return _legacy_search(call.store, asked)
    try:
        query = traceql.parse(asked.query)
    except QueryFailure as error:
        raise BadRequest(f"invalid TraceQL query: {error.message}") from None
    found = traceql.search(call.store.traces, query, asked.start_ns, asked.end_ns, limit=asked.limit)
    return answers.json(
        {
            "traces": encode.results(found, asked.spans_per_set),
            "metrics": {"inspectedTraces": len(found)},
        }
    )


def _legacy_search(store: Store, asked: params.Search) -> Response:
    """Tags and durations of the whole trace; the answer has no spans."""
    query = _tag_query(asked)
    found = traceql.search(store.traces, query, asked.start_ns, asked.end_ns, limit=asked.limit)
    traces = [encode.summary(match.trace) for match in found]
    return answers.json({"traces": traces, "metrics": {"inspectedTraces": len(found)}})


def _tag_query(asked: params.Search) -> ast.Query:
    """Every tag on some span, as text; durations are the trace's."""
    elements: list[ast.Element] = [ast.SpansetFilter(ast.Static("bool", True, "true"))]
    limits = ((">=", asked.min_duration_ns), ("<=", asked.max_duration_ns))
    for op, duration in limits:
        if duration:
            condition = ast.Binary(op, ast.Intrinsic("traceDuration"), ast.Static("duration", duration, ""))
            elements.append(ast.SpansetFilter(condition))
    wanted: list[ast.Spanset] = [ast.SpansetFilter(_tag(name, value)) for name, value in asked.tags.items()]
    if wanted:
        spanset = wanted[0]
        for other in wanted[1:]:
            spanset = ast.SpansetOperation("&&", spanset, other)
        elements.insert(0, spanset)
    return ast.Query(ast.Pipeline(tuple(elements)))


def _tag(name: str, text: str) -> ast.Field:
    named: ast.Named = ast.Attribute("", name)
    if name in ("name", "root.name", "root.service.name"):
        named = ast.Intrinsic({"root.name": "rootName", "root.service.name": "rootServiceName"}.get(name, name))
    if name == "service.name":
        named = ast.Attribute("resource", name)
    return ast.Binary("=", named, ast.Static("string", text, text))
