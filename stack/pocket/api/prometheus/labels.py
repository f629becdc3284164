"""What there is to ask for: label names and values, series, and the metrics' types and help texts."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from pocket.api.endpoint import Call
from pocket.api.form import Form
from pocket.api.prometheus import encode
from pocket.api.prometheus import parameters as params
from pocket.api.prometheus.dialect import TRUNCATED, success
from pocket.query import promql
from pocket.rows import Matcher


def labels(call: Call) -> Response:
    limit, (start_ms, end_ms) = params.limit(call.form), params.span_ms(call.form)
    return _limited(sorted(call.store.metrics.label_names(_selectors(call.form), start_ms, end_ms)), limit)


def values(call: Call) -> Response:
    limit, (start_ms, end_ms) = params.limit(call.form), params.span_ms(call.form)
    selectors, name = _selectors(call.form), params.label_name(call.path["name"])
    return _limited(sorted(call.store.metrics.label_values(name, selectors, start_ms, end_ms)), limit)


def series(call: Call) -> Response:
    if not call.form.all("match[]"):
        raise promql.QueryError("bad_data", "no match[] parameter provided")
    limit, (start_ms, end_ms) = params.limit(call.form), params.span_ms(call.form)
    with params.naming("match[]"):
        selectors = _selectors(call.form)
    found = call.store.metrics.series(selectors, start_ms, end_ms)
    return _limited([dict(key) for key in sorted({tuple(sorted(one.items())) for one in found})], limit)


def metadata(call: Call) -> Response:
    limit, per_metric = params.number(call.form, "limit"), params.number(call.form, "limit_per_metric")
    entries = call.store.metrics.metadata()
    return success(encode.metadata(entries, call.form.get("metric"), limit, per_metric))


def _selectors(form: Form) -> list[list[Matcher]]:
    return [promql.parse_selector(text) for text in form.all("match[]")]


def _limited(rows: list[Any], limit: int) -> Response:
    return success(rows[:limit], [TRUNCATED]) if limit and len(rows) > limit else success(rows)
