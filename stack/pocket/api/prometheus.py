"""Prometheus' HTTP API (web/api/v1/api.go, 3.14) over the PromQL engine."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pocket.api import answers, prometheus_json
from pocket.api import prometheus_params as params
from pocket.api.form import Form, read_form
from pocket.api.prometheus_status import evaluation_interval_ms, status_routes
from pocket.api.prometheus_targets import Targets, describe
from pocket.api.queries import Queries, Words
from pocket.budget import Busy, Cancelled, TimedOut, TooMuch
from pocket.config import Settings
from pocket.query import promql
from pocket.query.errors import QueryFailure
from pocket.store import Store, StoreError

# promql/engine.go (ErrQueryTimeout, ErrQueryCanceled, ErrTooManySamples) and web/api/v1/api.go (their statuses).
# Prometheus lets any number wait; the 429 is Mimir's, whose queue is bounded.
STOPPED: Words = {
    TimedOut: lambda: promql.QueryError("timeout", "query timed out in expression evaluation"),
    Cancelled: lambda: promql.QueryError("canceled", "query was canceled in expression evaluation"),
    TooMuch: lambda: promql.QueryError("execution", promql.TOO_MANY_SAMPLES),
    Busy: lambda: promql.QueryError("too_many_requests", "too many outstanding requests"),
}
TRUNCATED = "results truncated due to limit"
MAX_NOTES = 10  # warnings and infos told of in one answer
T = TypeVar("T")
Handler = Callable[[Form], "Answer"]


@dataclass(slots=True)
class Answer:
    """`data` None is an answer without content (204)."""

    data: Any
    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)


def app(
    store: Store, settings: Settings, targets: Targets | None = None, queries: Queries | None = None
) -> Starlette:
    """Everything that Prometheus answers to Grafana but `/metrics`; `targets` gives the scraper's."""
    api = _Api(store, settings)
    runner = queries or Queries(settings)
    heavy: dict[str, Handler] = {
        "query": api.query,
        "query_range": api.query_range,
        "query_exemplars": api.query_exemplars,
    }
    light: dict[str, Handler] = {
        "format_query": api.format_query,
        "labels": api.labels,
        "series": api.series,
    }
    routes = [
        Route(f"/api/v1/{name}", _endpoint(runner, handler, lookup=name in light), methods=["GET", "POST"])
        for name, handler in (heavy | light).items()
    ]
    return Starlette(
        routes=[
            *routes,
            Route("/api/v1/label/{name}/values", _label_values(runner, api)),
            Route("/api/v1/metadata", _endpoint(runner, api.metadata, lookup=True)),
            Route("/api/v1/targets", _targets(targets)),
            *status_routes(settings),
        ]
    )


def _endpoint(queries: Queries, handler: Handler, *, lookup: bool) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        form = await read_form(request)
        return await _run(queries, request, lambda: handler(form), lookup=lookup)

    return endpoint


async def _run(queries: Queries, request: Request, handle: Callable[[], Answer], *, lookup: bool) -> Response:
    try:
        return await queries.answer(request, STOPPED, respond, handle, lookup=lookup)
    except promql.QueryError as failure:
        return _error(failure.kind, failure.message, failure.status)


def respond(handle: Callable[[], Answer]) -> Response:
    """The envelope: success with data, or error with Prometheus' type and status."""
    try:
        answer = handle()
    except QueryFailure as failure:
        kind = failure.kind if isinstance(failure, promql.QueryError) else "execution"
        return _error(kind, failure.message, failure.status)
    except StoreError as failure:
        return _error("unavailable", str(failure), 503)
    if answer.data is None:
        return Response(status_code=204)
    body: dict[str, Any] = {"status": "success", "data": answer.data}
    for name, notes in (("warnings", answer.warnings), ("infos", answer.infos)):
        if notes:
            rest = len(notes) - MAX_NOTES
            omitted = [f"{rest} more {name.removesuffix('s')} annotations omitted"] if rest > 0 else []
            body[name] = [*notes[:MAX_NOTES], *omitted]
    return answers.json(body)


def _error(kind: str, message: str, status: int) -> Response:
    return answers.json({"status": "error", "errorType": kind, "error": message}, status)


def _label_values(queries: Queries, api: _Api) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        form, name = await read_form(request), str(request.path_params["name"])
        return await _run(queries, request, lambda: api.label_values(name, form), lookup=True)

    return endpoint


def _targets(targets: Targets | None) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        """In the event loop, where the scraper changes its targets."""
        form = await read_form(request)
        known = targets() if targets else []
        return respond(lambda: Answer(describe(known, form.get("scrapePool"), form.get("state").lower())))

    return endpoint


class _Api:
    """The handlers, one a route; they run in worker threads and raise QueryFailure."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._metrics = store.metrics
        self._limits = promql.Limits(
            subquery_step_ms=evaluation_interval_ms(settings), timeout_seconds=settings.query_seconds
        )

    def query(self, form: Form) -> Answer:
        limit = params.limit(form)
        t_ms = params.time_ms(form, "time", int(time.time() * 1000))
        limits = self._query_limits(form)
        return _result(lambda: promql.instant(self._metrics, form.get("query"), t_ms, limits), limit)

    def query_range(self, form: Form) -> Answer:
        limit = params.limit(form)
        start_ms, end_ms, step_ms = _range(form)
        limits = self._query_limits(form)
        query = form.get("query")
        return _result(lambda: promql.range_matrix(self._metrics, query, start_ms, end_ms, step_ms, limits), limit)

    def _query_limits(self, form: Form) -> promql.Limits:
        limits = self._limits
        if form.get("timeout"):
            seconds = params.duration_ms(form, "timeout") / 1000
            limits = replace(limits, timeout_seconds=min(limits.timeout_seconds, seconds))
        if form.get("lookback_delta") and (lookback_ms := params.duration_ms(form, "lookback_delta")) > 0:
            limits = replace(limits, lookback_ms=lookback_ms)
        return limits

    def query_exemplars(self, form: Form) -> Answer:
        start_ms, end_ms = _span(form)
        if end_ms < start_ms:
            raise promql.QueryError("bad_data", "end timestamp must not be before start timestamp")
        selectors = promql.selectors(form.get("query"))
        if not selectors:
            return Answer(None)
        sets = dict.fromkeys(selector.matchers for selector in selectors)
        found = [one for matchers in sets for one in self._metrics.exemplars(matchers, start_ms, end_ms)]
        return Answer(prometheus_json.exemplars(found))

    def format_query(self, form: Form) -> Answer:
        return Answer(_named("query", lambda: promql.prettify(form.get("query"))))

    def labels(self, form: Form) -> Answer:
        limit, (start_ms, end_ms) = params.limit(form), _span(form)
        sets = [promql.parse_selector(text) for text in form.all("match[]")]
        return _limited(sorted(self._metrics.label_names(sets, start_ms, end_ms)), limit)

    def label_values(self, name: str, form: Form) -> Answer:
        limit, (start_ms, end_ms) = params.limit(form), _span(form)
        sets = [promql.parse_selector(text) for text in form.all("match[]")]
        return _limited(sorted(self._metrics.label_values(params.label_name(name), sets, start_ms, end_ms)), limit)

    def series(self, form: Form) -> Answer:
        texts = form.all("match[]")
        if not texts:
            raise promql.QueryError("bad_data", "no match[] parameter provided")
        limit, (start_ms, end_ms) = params.limit(form), _span(form)
        sets = [_named("match[]", partial(promql.parse_selector, text)) for text in texts]
        found = self._metrics.series(sets, start_ms, end_ms)
        return _limited([dict(key) for key in sorted({tuple(sorted(one.items())) for one in found})], limit)

    def metadata(self, form: Form) -> Answer:
        limit, per_metric = params.number(form, "limit"), params.number(form, "limit_per_metric")
        entries = self._metrics.metadata()
        return Answer(prometheus_json.metadata(entries, form.get("metric"), limit, per_metric))


def _span(form: Form) -> tuple[int, int]:
    return params.time_ms(form, "start", -params.FAR_MS), params.time_ms(form, "end", params.FAR_MS)


def _range(form: Form) -> tuple[int, int, int]:
    start_ms, end_ms = params.time_ms(form, "start"), params.time_ms(form, "end")
    if end_ms < start_ms:
        raise params.InvalidParameterError("end", "end timestamp must not be before start time")
    step_ms = params.duration_ms(form, "step")
    if step_ms <= 0:
        raise params.InvalidParameterError("step", promql.NO_STEP)
    promql.check_points(start_ms, end_ms, step_ms)
    return start_ms, end_ms, step_ms


def _named(name: str, evaluate: Callable[[], T]) -> T:
    """What is wrong with a text is told with the parameter's name."""
    try:
        return evaluate()
    except promql.QueryError as failure:
        if failure.kind != "bad_data":
            raise
        raise params.InvalidParameterError(name, failure.message) from failure


def _result(evaluate: Callable[[], promql.InstantResult], limit: int) -> Answer:
    result = _named("query", evaluate)
    rows: list[Any] = []
    if isinstance(result, promql.Vector):
        rows = result.samples
    elif isinstance(result, promql.Matrix):
        rows = result.series
    warnings = list(result.annotations.warnings)
    if limit and len(rows) > limit:
        del rows[limit:]
        warnings.append(TRUNCATED)
    return Answer(prometheus_json.query_data(result), warnings, result.annotations.infos)


def _limited(rows: list[Any], limit: int) -> Answer:
    return Answer(rows[:limit], [TRUNCATED]) if limit and len(rows) > limit else Answer(rows)
