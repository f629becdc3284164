"""Queries: at one time, over a range, their exemplars, and a query's text well set."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from pocket.api.endpoint import Call
from pocket.api.form import Form
from pocket.api.prometheus import encode
from pocket.api.prometheus import parameters as params
from pocket.api.prometheus.dialect import TRUNCATED, success
from pocket.query import promql


def query(limits: promql.Limits, call: Call) -> Response:
    """At `time`, now by default."""
    limit = params.limit(call.form)
    t_ms = params.time_ms(call.form, "time", int(time.time() * 1000))
    limits = _limits(limits, call.form)
    with params.naming("query"):
        result = promql.instant(call.store.metrics, call.form.get("query"), t_ms, limits)
    return _evaluated(result, limit)


def query_range(limits: promql.Limits, call: Call) -> Response:
    """From `start` to `end`, both in it, every `step`."""
    limit = params.limit(call.form)
    start_ms, end_ms, step_ms = _steps(call.form)
    limits = _limits(limits, call.form)
    text = call.form.get("query")
    with params.naming("query"):
        result = promql.range_matrix(call.store.metrics, text, start_ms, end_ms, step_ms, limits)
    return _evaluated(result, limit)


def query_exemplars(call: Call) -> Response:
    """Of every series that the query names; 204 where it names none."""
    start_ms, end_ms = params.span_ms(call.form)
    if end_ms < start_ms:
        raise promql.QueryError("bad_data", "end timestamp must not be before start timestamp")
    selectors = promql.selectors(call.form.get("query"))
    if not selectors:
        return Response(status_code=204)
    sets = dict.fromkeys(selector.matchers for selector in selectors)
    found = [one for matchers in sets for one in call.store.metrics.exemplars(matchers, start_ms, end_ms)]
    return success(encode.exemplars(found))


def format_query(call: Call) -> Response:
    with params.naming("query"):
        return success(promql.prettify(call.form.get("query")))


def _limits(limits: promql.Limits, form: Form) -> promql.Limits:
    """The server's, narrowed by what the request asks for."""
    if form.get("timeout"):
        seconds = params.duration_ms(form, "timeout") / 1000
        limits = replace(limits, timeout_seconds=min(limits.timeout_seconds, seconds))
    if form.get("lookback_delta") and (lookback_ms := params.duration_ms(form, "lookback_delta")) > 0:
        limits = replace(limits, lookback_ms=lookback_ms)
    return limits


def _steps(form: Form) -> tuple[int, int, int]:
    start_ms, end_ms = params.time_ms(form, "start"), params.time_ms(form, "end")
    if end_ms < start_ms:
        raise params.InvalidParameterError("end", "end timestamp must not be before start time")
    step_ms = params.duration_ms(form, "step")
    if step_ms <= 0:
        raise params.InvalidParameterError("step", promql.NO_STEP)
    promql.check_points(start_ms, end_ms, step_ms)
    return start_ms, end_ms, step_ms


def _evaluated(result: promql.InstantResult, limit: int) -> Response:
    rows: list[Any] = []
    if isinstance(result, promql.Vector):
        rows = result.samples
    elif isinstance(result, promql.Matrix):
        rows = result.series
    warnings = list(result.annotations.warnings)
    if limit and len(rows) > limit:
        del rows[limit:]
        warnings.append(TRUNCATED)
    return success(encode.query_data(result), warnings, result.annotations.infos)
