"""Pyroscope's querier on port 4040: connect's unary calls in protobuf or JSON, and the old `/pyroscope/render`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pocket.api import answers
from pocket.api.form import Form, read_form
from pocket.api.loki_params import BadRequest
from pocket.api.pyroscope_messages import MESSAGES
from pocket.api.queries import Queries, Words
from pocket.budget import Busy, Cancelled, TimedOut, TooMuch
from pocket.config import Settings
from pocket.query import profiles
from pocket.query.durations import prometheus_duration_ns
from pocket.query.errors import Ended, ParseError, QueryFailure, Unsupported
from pocket.rows import Matcher
from pocket.store import Store

PREFIX = "/querier.v1.QuerierService"
PROTO, JSON = "application/proto", "application/json"
MAX_POINTS = 11_000
_MAX_MS = 2**53  # an end of 0 is "now and later" to those calls that may leave it out
_FLAME_GRAPH_FORMATS = (0, 1)
_AVERAGE = 1

# connect's codes; the words are those of dskit's frontend, which Pyroscope shares with Loki and Tempo.
_CODES = {
    501: "unimplemented", 504: "deadline_exceeded", 499: "canceled", 429: "resource_exhausted",
    422: "resource_exhausted",
}  # fmt: skip
_STOPPED: Words = {
    TimedOut: lambda: Ended("context deadline exceeded", 504),
    Cancelled: lambda: Ended("context canceled", 499),
    TooMuch: lambda: Ended("the query would hold too many bytes in memory; narrow its time range", 422),
    Busy: lambda: Ended("too many outstanding requests", 429),
}

Message = Any  # classes made at run time
Call = Callable[[Store, Message], Message]


def app(store: Store, settings: Settings, queries: Queries | None = None) -> Starlette:
    """The querier of `store`, with `/ready`."""
    return Starlette(routes=routes(store, queries or Queries(settings)), exception_handlers=answers.UNAVAILABLE)


def routes(store: Store, queries: Queries) -> list[Route]:
    return [
        *[_route(name, call, store, queries) for name, call in _CALLS.items()],
        Route("/pyroscope/render", _render(store, queries), methods=["GET"]),
        Route("/ready", _ready),
        Route("/{path:path}", _not_found, methods=["GET", "POST"]),
    ]


async def _ready(_: Request) -> Response:
    return answers.plain("ready\n")


async def _not_found(_: Request) -> Response:
    return answers.plain("404 page not found\n", 404)


# ---- the connect protocol: https://connectrpc.com/docs/protocol
def _route(name: str, call: Call, store: Store, queries: Queries) -> Route:
    request_class = MESSAGES[f"{name}Request"]

    def answer(body: bytes, kind: str) -> Response:
        return _encoded(call(store, _decoded(request_class, body, kind)), kind)

    async def endpoint(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (PROTO, JSON):
            return Response(status_code=415, headers={"accept-post": f"{JSON}, {PROTO}"})
        try:
            body = await request.body()
            lookup = not name.startswith("Select")
            return await queries.answer(request, _STOPPED, answer, body, kind, lookup=lookup)
        except QueryFailure as error:
            code = _CODES.get(error.status, "invalid_argument")
            return answers.json({"code": code, "message": error.message}, error.status)

    return Route(f"{PREFIX}/{name}", endpoint, methods=["POST"])


def _decoded(request_class: Any, body: bytes, kind: str) -> Message:
    try:
        if kind == PROTO:
            return request_class.FromString(body)
        return json_format.Parse(body or b"{}", request_class(), ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError) as error:
        raise BadRequest(f"unmarshal message: {error}") from None


def _encoded(message: Message, kind: str) -> Response:
    if kind == PROTO:
        return Response(message.SerializeToString(), media_type=PROTO)
    return answers.json(json_format.MessageToDict(message))


# ---- calls
def _profile_types(store: Store, _: Message) -> Message:
    listed = []
    for profile_type in store.profiles.types():
        name, kind, unit, period_type, period_unit = profiles.type_parts(profile_type)
        listed.append(
            MESSAGES["ProfileType"](
                ID=profile_type, name=name, sample_type=kind, sample_unit=unit,
                period_type=period_type, period_unit=period_unit,
            )
        )  # fmt: skip
    return MESSAGES["ProfileTypesResponse"](profile_types=listed)


def _all_series(store: Store, request: Message, names: Iterable[str] = ()) -> list[dict[str, str]]:
    """The series of any of the request's selectors."""
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for text in list(request.matchers) or [""]:
        matchers = profiles.parse_selector(text)
        end = request.end or _MAX_MS
        for labels in profiles.series(store.profiles, matchers, list(names), request.start, end):
            found[tuple(sorted(labels.items()))] = labels
    return [found[key] for key in sorted(found)]


def _label_names(store: Store, request: Message) -> Message:
    names = {name for labels in _all_series(store, request) for name in labels}
    return MESSAGES["LabelNamesResponse"](names=sorted(names))


def _label_values(store: Store, request: Message) -> Message:
    if not request.name:
        raise BadRequest("name is required")
    values = {labels[request.name] for labels in _all_series(store, request, [request.name])}
    return MESSAGES["LabelValuesResponse"](names=sorted(values))


def _series(store: Store, request: Message) -> Message:
    listed = [
        MESSAGES["Labels"](labels=_pairs(labels)) for labels in _all_series(store, request, request.label_names)
    ]
    return MESSAGES["SeriesResponse"](labels_set=listed)


def _pairs(labels: Mapping[str, str]) -> list[Message]:
    return [MESSAGES["LabelPair"](name=name, value=value) for name, value in sorted(labels.items())]


def _select_series(store: Store, request: Message) -> Message:
    matchers = profiles.parse_selector(request.label_selector)
    _check_range(request)
    if not 0.001 <= request.step < _MAX_MS:  # which NaN is not, either
        raise BadRequest("step must be >= 1ms")
    step_ms = int(request.step * 1000)
    if (request.end - request.start) // step_ms > MAX_POINTS:
        raise BadRequest("exceeded maximum resolution of 11,000 points per time series")
    samples = profiles.select(
        store.profiles, request.profile_typeID, matchers, request.start - step_ms, request.end
    )
    found = profiles.time_series(
        samples,
        list(request.group_by),
        request.start,
        request.end,
        step_ms,
        average=request.aggregation == _AVERAGE,
    )
    ranked = sorted(found.items(), key=lambda item: (-sum(value for _, value in item[1]), item[0]))
    kept = dict(ranked[: request.limit or None])
    return MESSAGES["SelectSeriesResponse"](
        series=[
            MESSAGES["Series"](
                labels=_pairs(dict(labels)),
                points=[MESSAGES["Point"](value=value, timestamp=t) for t, value in points],
            )
            for labels, points in kept.items()
        ]
    )


def _check_range(request: Message) -> None:
    if not request.start or not request.end:
        raise BadRequest("missing time range in the query")
    if request.start > request.end:
        raise BadRequest("query start time is after end time")


def _merge_stacktraces(store: Store, request: Message) -> Message:
    if request.format not in _FLAME_GRAPH_FORMATS:
        raise Unsupported("only flame graphs are answered here", 501)
    matchers = profiles.parse_selector(request.label_selector)
    _check_range(request)
    matchers += _span_matchers(list(request.span_selector))
    graph = _flame_graph(store, request.profile_typeID, matchers, request.start, request.end, request.max_nodes)
    levels = [MESSAGES["Level"](values=level) for level in graph.levels]
    return MESSAGES["SelectMergeStacktracesResponse"](
        flamegraph=MESSAGES["FlameGraph"](
            names=graph.names, levels=levels, total=graph.total, max_self=graph.max_self
        )
    )


def _span_matchers(spans: list[str]) -> list[Matcher]:
    """Samples of certain spans: pprof's sample label `span_id` is a label of the rows."""
    if not all(len(span) == 16 and set(span) <= set("0123456789abcdef") for span in spans):
        raise BadRequest(f"invalid span id in span selector: {spans}")
    return [Matcher("span_id", "=~", "|".join(spans))] if spans else []


def _flame_graph(
    store: Store, profile_type: str, matchers: list[Matcher], start_ms: int, end_ms: int, max_nodes: int = 0
) -> profiles.FlameGraph:
    samples = profiles.select(store.profiles, profile_type, matchers, start_ms, end_ms)
    return profiles.flame_graph(profiles.merge(samples), max_nodes or profiles.MAX_NODES)


_CALLS: dict[str, Call] = {
    "ProfileTypes": _profile_types,
    "LabelNames": _label_names,
    "LabelValues": _label_values,
    "Series": _series,
    "SelectSeries": _select_series,
    "SelectMergeStacktraces": _merge_stacktraces,
    "SelectMergeSpanProfile": _merge_stacktraces,
}


# ---- the old render endpoint, for curl
def _render(store: Store, queries: Queries) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            form = await read_form(request)
            return answers.json(await queries.answer(request, _STOPPED, _flamebearer, store, form))
        except QueryFailure as error:
            return answers.plain(error.message, error.status)

    return endpoint


def _flamebearer(store: Store, form: Form) -> dict[str, Any]:
    """`query=<profile type>{selector}`, `from` and `until` as Unix times or `now-1h` → Flamebearer's version 1."""
    profile_type, brace, selector = form.get("query").partition("{")
    if not profile_type:
        raise BadRequest("'query' is required")
    parts = profiles.type_parts(profile_type)
    start, end = _moment(form.get("from", "now-1h")), _moment(form.get("until", "now"))
    max_nodes = form.get("max-nodes") or form.get("maxNodes") or "0"
    graph = _flame_graph(
        store, profile_type, profiles.parse_selector(brace + selector), start, end,
        int(max_nodes[:9]) if max_nodes.isdecimal() else 0,
    )  # fmt: skip
    bearer = {
        "names": graph.names, "levels": graph.levels, "numTicks": graph.total, "maxSelf": graph.max_self,
    }  # fmt: skip
    cpu = parts[1] == "cpu"
    metadata = {
        "format": "single", "name": parts[1], "units": "samples" if cpu else parts[2],
        "spyName": "", "sampleRate": 10**9 if cpu else 100,
    }  # fmt: skip
    return {"version": 1, "flamebearer": bearer, "metadata": metadata}


def _moment(text: str) -> int:
    """Unix s, ms or ns, or `now` with an offset; in ms."""
    now = time.time_ns() // 10**6
    try:
        if text.startswith("now"):
            offset = text.removeprefix("now").replace(" ", "")
            return now - (prometheus_duration_ns(offset.removeprefix("-")) // 10**6 if offset else 0)
        number = int(text)
    except ValueError:
        raise ParseError(f"failed to parse time {text!r}") from None
    return number * 1000 if number < 10**11 else number if number < 10**14 else number // 10**6
