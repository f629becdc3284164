"""Profiles: their sum over time, and their stacks merged to a flame graph."""

from __future__ import annotations

from starlette.responses import Response

from pocket.api.endpoint import Call
from pocket.api.form import BadRequest
from pocket.api.pyroscope.connect import Message, read, write
from pocket.api.pyroscope.labels import FAR_MS, pairs
from pocket.api.pyroscope.messages import MESSAGES
from pocket.query import profiles
from pocket.query.errors import Unsupported
from pocket.rows import Matcher
from pocket.store import Store

MAX_POINTS = 11_000
_FLAME_GRAPH_FORMATS = (0, 1)
_AVERAGE = 1


def select_series(call: Call) -> Response:
    """The largest `limit` groups, each a point a step."""
    request = read(call, "SelectSeriesRequest")
    matchers = profiles.parse_selector(request.label_selector)
    step_ms = _step_ms(request)
    samples = profiles.select(
        call.store.profiles, request.profile_typeID, matchers, request.start - step_ms, request.end
    )
    found = profiles.time_series(
        samples, list(request.group_by), request.start, request.end, step_ms,
        average=request.aggregation == _AVERAGE,
    )  # fmt: skip
    ranked = sorted(found.items(), key=lambda item: (-sum(value for _, value in item[1]), item[0]))
    kept = ranked[: request.limit or None]
    return write(call, "SelectSeriesResponse", series=[_series(labels, points) for labels, points in kept])


def _step_ms(request: Message) -> int:
    _check_range(request)
    if not 0.001 <= request.step < FAR_MS:  # which NaN is not, either
        raise BadRequest("step must be >= 1ms")
    step_ms = int(request.step * 1000)
    if (request.end - request.start) // step_ms > MAX_POINTS:
        raise BadRequest("exceeded maximum resolution of 11,000 points per time series")
    return step_ms


def _series(labels: profiles.LabelKey, points: list[tuple[int, float]]) -> Message:
    told = [MESSAGES["Point"](value=value, timestamp=t_ms) for t_ms, value in points]
    return MESSAGES["Series"](labels=pairs(dict(labels)), points=told)


def _check_range(request: Message) -> None:
    if not request.start or not request.end:
        raise BadRequest("missing time range in the query")
    if request.start > request.end:
        raise BadRequest("query start time is after end time")


def select_merge_stacktraces(call: Call) -> Response:
    return _merged(call, "SelectMergeStacktraces")


def select_merge_span_profile(call: Call) -> Response:
    return _merged(call, "SelectMergeSpanProfile")


def _merged(call: Call, method: str) -> Response:
    request = read(call, f"{method}Request")
    if request.format not in _FLAME_GRAPH_FORMATS:
        raise Unsupported("only flame graphs are answered here", 501)
    matchers = profiles.parse_selector(request.label_selector)
    _check_range(request)
    matchers += _span_matchers(list(request.span_selector))
    graph = flame_graph(
        call.store, request.profile_typeID, matchers, request.start, request.end, request.max_nodes
    )
    message = MESSAGES["FlameGraph"](
        names=graph.names, levels=[MESSAGES["Level"](values=level) for level in graph.levels],
        total=graph.total, max_self=graph.max_self,
    )  # fmt: skip
    return write(call, "SelectMergeStacktracesResponse", flamegraph=message)


def _span_matchers(spans: list[str]) -> list[Matcher]:
    """Samples of certain spans: pprof's sample label `span_id` is a label of the rows."""
    if not all(len(span) == 16 and set(span) <= set("0123456789abcdef") for span in spans):
        raise BadRequest(f"invalid span id in span selector: {spans}")
    return [Matcher("span_id", "=~", "|".join(spans))] if spans else []


def flame_graph(
    store: Store, profile_type: str, matchers: list[Matcher], start_ms: int, end_ms: int, max_nodes: int
) -> profiles.FlameGraph:
    """Times in Unix ms, both in it; `max_nodes` 0 is the default. Raises ParseError for a type that is none."""
    samples = profiles.select(store.profiles, profile_type, matchers, start_ms, end_ms)
    return profiles.flame_graph(profiles.merge(samples), max_nodes or profiles.MAX_NODES)
