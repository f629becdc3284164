"""Loki's query API on port 3100. Errors are plain text with the status Loki gives; times in and out are Loki's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from pocket.api import answers, loki_detected, loki_tail, loki_words
from pocket.api import loki_encode as encode
from pocket.api import loki_params as params
from pocket.api.form import Form, read_form
from pocket.api.queries import Queries
from pocket.config import Settings
from pocket.query import logql
from pocket.query.errors import QueryFailure
from pocket.rows import Matcher
from pocket.store import Store

CATEGORIZE = "categorize-labels"
PREFIX = "/loki/api/v1"
_LOG_QUERY = (
    "log queries are not supported as an instant query type, please change your query to a range query type"
)
_BUILD = {
    "version": "3.7.6-pocket",
    "revision": "",
    "branch": "",
    "buildUser": "",
    "buildDate": "",
    "goVersion": "",
}

Handler = Callable[[Store, Request, Form], Any]


def app(store: Store, settings: Settings, queries: Queries | None = None) -> Starlette:
    """The query endpoints of `store`, with `/ready`."""
    return Starlette(routes=routes(store, queries or Queries(settings)), exception_handlers=answers.UNAVAILABLE)


def routes(store: Store, queries: Queries) -> list[BaseRoute]:
    tails = loki_tail.Tails(store.logs, queries)

    async def tail(socket: WebSocket) -> None:
        await tails.follow(socket)

    return [
        *[_route(path, handler, store, queries) for path, handler in _HANDLERS.items()],
        WebSocketRoute(f"{PREFIX}/tail", tail),
        Route("/ready", _ready),
        Route("/{path:path}", _not_found),
    ]


def _route(path: str, handler: Handler, store: Store, queries: Queries) -> Route:
    def answer(request: Request, form: Form) -> Response:
        return answers.json(handler(store, request, form))

    lookup = handler not in _HEAVY

    async def endpoint(request: Request) -> Response:
        try:
            form = await read_form(request)
            return await queries.answer(request, loki_words.STOPPED, answer, request, form, lookup=lookup)
        except QueryFailure as error:
            return answers.plain(error.message, error.status)

    return Route(path, endpoint, methods=["GET", "POST"])


async def _not_found(_: Request) -> Response:
    return answers.plain("404 page not found\n", 404)


async def _ready(_: Request) -> Response:
    return answers.plain("ready\n")


# ---- queries
def _query_range(store: Store, request: Request, form: Form) -> Any:
    asked, begun = params.range_query(form), time.perf_counter()
    expr = logql.parse(asked.text)
    if isinstance(expr, logql.ast.LogQuery):
        return _log_query(store, request, expr, asked, begun)
    start, end = params.aligned(asked)
    series = logql.metric_range(store.logs, expr, start, end, asked.step_ns)
    return encode.success(encode.result("matrix", encode.matrix(series), _summary(begun, len(series))))


def _log_query(
    store: Store, request: Request, expr: logql.ast.LogQuery, asked: params.RangeQuery, begun: float
) -> Any:
    params.check_entries(asked.limit)
    categorize = CATEGORIZE in request.headers.get("x-loki-response-encoding-flags", "")
    found = logql.streams(
        store.logs, expr, asked.start_ns, asked.end_ns,
        limit=asked.limit, newest_first=asked.newest_first, interval_ns=asked.interval_ns, categorize=categorize,
    )  # fmt: skip
    summary = _summary(begun, sum(len(stream.lines) for stream in found))
    values = encode.streams(found, categorize=categorize)
    return encode.success(encode.result("streams", values, summary, categorize=categorize))


def _query(store: Store, _: Request, form: Form) -> Any:
    asked, begun = params.instant_query(form), time.perf_counter()
    expr = logql.parse(asked.text)
    if isinstance(expr, logql.ast.LogQuery):
        raise params.BadRequest(_LOG_QUERY)
    answer = logql.metric_instant(store.logs, expr, asked.t_ns)
    if isinstance(answer, float):
        scalar = [encode.seconds(asked.t_ns), encode.number(answer)]
        return encode.success(encode.result("scalar", scalar, _summary(begun, 1)))
    vector = encode.vector(answer, asked.t_ns)
    return encode.success(encode.result("vector", vector, _summary(begun, len(vector))))


def _summary(begun: float, entries: int) -> dict[str, float]:
    return {"execTime": time.perf_counter() - begun, "totalEntriesReturned": entries}


# ---- labels and series
def _matchers(text: str) -> tuple[Matcher, ...]:
    return logql.parse_matchers(text) if text else ()


def _labels(store: Store, _: Request, form: Form) -> Any:
    span = params.bounds(form, 6 * params.HOUR)
    if not form.get("query"):
        return _listed(store.logs.label_names(span.start_ns, span.end_ns))
    streams = store.logs.streams(_matchers(form.get("query")), span.start_ns, span.end_ns)
    return _listed(sorted({name for labels in streams for name in labels}))


def _label_values(store: Store, request: Request, form: Form) -> Any:
    span = params.bounds(form, 6 * params.HOUR)
    name, matchers = request.path_params["name"], _matchers(form.get("query"))
    return _listed(store.logs.label_values(name, span.start_ns, span.end_ns, matchers))


def _listed(found: list[str]) -> Any:
    """Loki leaves `data` out when there is nothing."""
    return {"status": "success", "data": found} if found else {"status": "success"}


def _series(store: Store, _: Request, form: Form) -> Any:
    span = params.bounds(form)
    selectors = [text for text in form.all("match[]", "match") if text.replace(" ", "") != "{}"] or [""]
    found: dict[encode.LabelKey, dict[str, str]] = {}
    for text in selectors:
        matchers = logql.parse_matchers(text, empty=True) if text else ()
        for labels in store.logs.streams(matchers, span.start_ns, span.end_ns):
            found[tuple(sorted(labels.items()))] = labels
    return encode.success([found[key] for key in sorted(found)])


# ---- the index
def _stats(store: Store, _: Request, form: Form) -> Any:
    span = params.bounds(form)
    return store.logs.stats(logql.parse_matchers(form.get("query")), span.start_ns, span.end_ns)


def _volume(store: Store, _: Request, form: Form) -> Any:
    span, limit = params.bounds(form), params.positive(form, "limit", 100)
    by = form.get("aggregateBy", "series")
    if by not in ("series", "labels"):
        raise params.BadRequest("invalid aggregation option")
    targets = [name for name in form.get("targetLabels").split(",") if name]
    matchers = logql.parse_matchers(form.get("query"), empty=True)
    found = loki_detected.volumes(store, matchers, span.start_ns, span.end_ns, targets, by_label=by == "labels")
    kept = dict(list(found.items())[:limit])
    values = encode.vector(kept, span.end_ns)
    return encode.success(encode.result("vector", values, {"totalEntriesReturned": len(values)}))


def _detected_labels(store: Store, _: Request, form: Form) -> Any:
    span = params.bounds(form)
    streams = store.logs.streams(_matchers(form.get("query")), span.start_ns, span.end_ns)
    found = loki_detected.labels(streams)
    return {"detectedLabels": found} if found else {}


def _detected(store: Store, form: Form) -> dict[str, loki_detected.Field]:
    span, lines = params.bounds(form), params.positive(form, "line_limit", 100)
    query = logql.parse_log_query(form.get("query"))
    streams = logql.streams(store.logs, query, span.start_ns, span.end_ns, limit=lines, categorize=True)
    return loki_detected.fields(streams)


def _detected_fields(store: Store, _: Request, form: Form) -> Any:
    limit = params.positive(form, "limit", params.positive(form, "field_limit", 1000))
    return {"fields": loki_detected.describe(_detected(store, form), limit), "limit": limit}


def _detected_field_values(store: Store, request: Request, form: Form) -> Any:
    limit = params.positive(form, "limit", 1000)
    field = _detected(store, form).get(request.path_params["name"], loki_detected.Field())
    return {"values": sorted(field.values)[:limit], "limit": limit}


def _build_info(*_: object) -> Any:
    return _BUILD


_HANDLERS: dict[str, Handler] = {
    f"{PREFIX}/query_range": _query_range,
    f"{PREFIX}/query": _query,
    f"{PREFIX}/labels": _labels,
    f"{PREFIX}/label": _labels,
    f"{PREFIX}/label/{{name}}/values": _label_values,
    f"{PREFIX}/series": _series,
    f"{PREFIX}/index/stats": _stats,
    f"{PREFIX}/index/volume": _volume,
    f"{PREFIX}/detected_labels": _detected_labels,
    f"{PREFIX}/detected_fields": _detected_fields,
    f"{PREFIX}/detected_field/{{name}}/values": _detected_field_values,
    f"{PREFIX}/status/buildinfo": _build_info,
}
# They read lines; the others read the index.
_HEAVY = {_query_range, _query, _volume, _detected_fields, _detected_field_values}
