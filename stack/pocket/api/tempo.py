"""Tempo's query API on port 3200. Errors are plain text with the status Tempo gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pocket.api import answers, tempo_proto, tempo_search, tempo_tags, tempo_words
from pocket.api import tempo_params as params
from pocket.api.form import Form, read_form
from pocket.api.loki_params import BadRequest
from pocket.api.queries import Queries
from pocket.config import Settings
from pocket.query import traceql
from pocket.query.errors import QueryFailure
from pocket.query.traceql import ast
from pocket.store import Store

PROTOBUF = "application/protobuf"
_BUILD = {
    "version": "3.0.3-pocket",
    "revision": "",
    "branch": "",
    "buildUser": "",
    "buildDate": "",
    "goVersion": "",
}

Handler = Callable[[Store, Request, Form], Response]


def app(store: Store, settings: Settings, queries: Queries | None = None) -> Starlette:
    """The query endpoints of `store`, with `/ready`."""
    return Starlette(routes=routes(store, queries or Queries(settings)), exception_handlers=answers.UNAVAILABLE)


def routes(store: Store, queries: Queries) -> list[Route]:
    return [
        *[_route(path, handler, store, queries) for path, handler in _HANDLERS.items()],
        Route("/api/echo", _plain("echo\n")),
        Route("/ready", _plain("ready\n")),
        Route("/{path:path}", _plain("404 page not found\n", 404)),
    ]


def _route(path: str, handler: Handler, store: Store, queries: Queries) -> Route:
    lookup = handler not in _HEAVY

    async def endpoint(request: Request) -> Response:
        try:
            form = await read_form(request)
            return await queries.answer(request, tempo_words.STOPPED, handler, store, request, form, lookup=lookup)
        except QueryFailure as error:
            return answers.plain(error.message, error.status)

    return Route(path, endpoint, methods=["GET"])


def _plain(text: str, status: int = 200) -> Callable[[Request], Any]:
    async def endpoint(_: Request) -> Response:
        return answers.plain(text, status)

    return endpoint


# ---- a trace by its id
def _trace_v1(store: Store, request: Request, _: Form) -> Response:
    spans = store.traces.trace(params.trace_id(request.path_params["id"]))
    if not spans:
        return Response(status_code=404)
    if PROTOBUF in request.headers.get("accept", ""):
        return Response(tempo_proto.trace_bytes(spans), media_type=PROTOBUF)
    return answers.json({"batches": tempo_proto.resource_spans_json(spans)})


def _trace_v2(store: Store, request: Request, _: Form) -> Response:
    """Unlike Tempo 3, which gives an empty trace here, an unknown trace is a 404: Grafana then says so."""
    spans = store.traces.trace(params.trace_id(request.path_params["id"]))
    if not spans:
        return Response(status_code=404)
    if PROTOBUF in request.headers.get("accept", ""):
        return Response(tempo_proto.trace_response_bytes(spans), media_type=PROTOBUF)
    return answers.json({"trace": {"resourceSpans": tempo_proto.resource_spans_json(spans)}, "metrics": {}})


# ---- search
def _search(store: Store, _: Request, form: Form) -> Response:
    asked = params.search(form)
    if not asked.query:
        return _legacy_search(store, asked)
    try:
        query = traceql.parse(asked.query)
    except QueryFailure as error:
        raise BadRequest(f"invalid TraceQL query: {error.message}") from None
    found = traceql.search(store.traces, query, asked.start_ns, asked.end_ns, limit=asked.limit)
    return answers.json(
        {
            "traces": tempo_search.results(found, asked.spans_per_set),
            "metrics": {"inspectedTraces": len(found)},
        }
    )


def _legacy_search(store: Store, asked: params.Search) -> Response:
    """Tags and durations of the whole trace; the answer has no spans."""
    query = _tag_query(asked)
    found = traceql.search(store.traces, query, asked.start_ns, asked.end_ns, limit=asked.limit)
    traces = [tempo_search.summary(match.trace) for match in found]
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


# ---- tags
def _tags_v1(store: Store, _: Request, form: Form) -> Response:
    scopes = tempo_tags.scopes(store, form.get("scope"), params.seconds_range(form))
    wanted = [names for scope, names in scopes.items() if scope != "intrinsic" or form.get("scope") == "intrinsic"]
    return answers.json({"tagNames": sorted({name for names in wanted for name in names}), "metrics": {}})


def _tags_v2(store: Store, _: Request, form: Form) -> Response:
    scopes = tempo_tags.scopes(store, form.get("scope"), params.seconds_range(form))
    listed = [{"name": scope, "tags": names} for scope, names in scopes.items()]
    return answers.json({"scopes": listed, "metrics": {}})


def _tag_name(request: Request) -> str:
    """Grafana encodes the name twice; the server has undone it once."""
    return unquote(request.path_params["tag"])


def _tag_values_v1(store: Store, request: Request, form: Form) -> Response:
    found = tempo_tags.plain_values(store, _tag_name(request), params.seconds_range(form))
    return answers.json({"tagValues": found, "metrics": {}})


def _tag_values_v2(store: Store, request: Request, form: Form) -> Response:
    found = tempo_tags.values(store, _tag_name(request), form.get("q"), params.seconds_range(form))
    return answers.json({"tagValues": found, "metrics": {}})


# ---- metrics
def _metrics_query(form: Form) -> tuple[ast.Query, str]:
    text = form.get("q") or form.get("query")
    query = traceql.parse(text)
    if query.metrics is None:
        raise BadRequest("not a metrics query")
    return query, query.metrics.op


def _metrics_range(store: Store, _: Request, form: Form) -> Response:
    span = params.metrics_range(form)
    query, op = _metrics_query(form)
    found = traceql.metrics_range(store.traces, query, span.start_ns, span.end_ns, params.step_ns(form, span))
    return answers.json({"series": tempo_search.series(found, op), "metrics": {}})


def _metrics_instant(store: Store, _: Request, form: Form) -> Response:
    span = params.metrics_range(form)
    try:
        query, op = _metrics_query(form)
    except QueryFailure as error:
        raise BadRequest(f"compiling query: {error.message}") from None
    found = traceql.metrics_instant(store.traces, query, span.start_ns, span.end_ns)
    return answers.json({"series": tempo_search.instant_series(found, op), "metrics": {}})


def _build_info(*_: object) -> Response:
    return answers.json(_BUILD)


_HANDLERS: dict[str, Handler] = {
    "/api/traces/{id}": _trace_v1,
    "/api/v2/traces/{id}": _trace_v2,
    "/api/search": _search,
    "/api/search/tags": _tags_v1,
    "/api/v2/search/tags": _tags_v2,
    "/api/search/tag/{tag:path}/values": _tag_values_v1,
    "/api/v2/search/tag/{tag:path}/values": _tag_values_v2,
    "/api/metrics/query_range": _metrics_range,
    "/api/metrics/query": _metrics_instant,
    "/api/status/buildinfo": _build_info,
}
_HEAVY = {_search, _metrics_range, _metrics_instant}
