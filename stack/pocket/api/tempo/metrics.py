"""TraceQL metrics: over a range, and as one value."""

from __future__ import annotations

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.form import BadRequest, Form
from pocket.api.tempo import encode
from pocket.api.tempo import parameters as params
from pocket.api.times import span
from pocket.query import traceql
from pocket.query.errors import QueryFailure
from pocket.query.traceql import ast


def query_range(call: Call) -> Response:
    asked = span(call.form)
    parsed, op = _parsed(call.form)
    step_ns = params.step_ns(call.form, asked)
    found = traceql.metrics_range(call.store.traces, parsed, asked.start_ns, asked.end_ns, step_ns)
    return answers.json({"series": encode.series(found, op), "metrics": {}})


def query(call: Call) -> Response:
    asked = span(call.form)
    try:
        parsed, op = _parsed(call.form)
    except QueryFailure as error:
        raise BadRequest(f"compiling query: {error.message}") from None
    found = traceql.metrics_instant(call.store.traces, parsed, asked.start_ns, asked.end_ns)
    return answers.json({"series": encode.instant_series(found, op), "metrics": {}})


def _parsed(form: Form) -> tuple[ast.Query, str]:
    """The query and its function's name."""
    parsed = traceql.parse(form.get("q") or form.get("query"))
    if parsed.metrics is None:
        raise BadRequest("not a metrics query")
    return parsed, parsed.metrics.op
