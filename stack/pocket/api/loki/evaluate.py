"""Queries: log lines and metrics over a range, metrics at one time."""

from __future__ import annotations

import time

from starlette.responses import Response

from pocket.api.endpoint import Call
from pocket.api.form import BadRequest
from pocket.api.loki import encode
from pocket.api.loki import parameters as params
from pocket.query import logql

_LOG_QUERY = (
    "log queries are not supported as an instant query type, please change your query to a range query type"
)


def query_range(call: Call) -> Response:
    asked, begun = params.range_query(call.form), time.perf_counter()
    expr = logql.parse(asked.text)
    if isinstance(expr, logql.ast.LogQuery):
        return _log_query(call, expr, asked, begun)
    start, end = params.aligned(asked)
    series = logql.metric_range(call.store.logs, expr, start, end, asked.step_ns)
    return encode.result("matrix", encode.matrix(series), _summary(begun, len(series)))


def _log_query(call: Call, expr: logql.ast.LogQuery, asked: params.RangeQuery, begun: float) -> Response:
    params.check_entries(asked.limit)
    categorize = params.categorizes(call.headers)
    found = logql.streams(
        call.store.logs, expr, asked.start_ns, asked.end_ns,
        limit=asked.limit, newest_first=asked.newest_first, interval_ns=asked.interval_ns, categorize=categorize,
    )  # fmt: skip
    summary = _summary(begun, sum(len(stream.lines) for stream in found))
    return encode.result("streams", encode.streams(found, categorize=categorize), summary, categorize=categorize)


def query(call: Call) -> Response:
    asked, begun = params.instant_query(call.form), time.perf_counter()
    expr = logql.parse(asked.text)
    if isinstance(expr, logql.ast.LogQuery):
        raise BadRequest(_LOG_QUERY)
    answer = logql.metric_instant(call.store.logs, expr, asked.t_ns)
    if isinstance(answer, float):
        scalar = [encode.seconds(asked.t_ns), encode.number(answer)]
        return encode.result("scalar", scalar, _summary(begun, 1))
    vector = encode.vector(answer, asked.t_ns)
    return encode.result("vector", vector, _summary(begun, len(vector)))


def _summary(begun: float, entries: int) -> dict[str, float]:
    return {"execTime": time.perf_counter() - begun, "totalEntriesReturned": entries}
