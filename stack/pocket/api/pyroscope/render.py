"""The old render endpoint, for curl."""

from __future__ import annotations

import time
from typing import Any

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.form import BadRequest, Form
from pocket.api.pyroscope.profiles import flame_graph
from pocket.query import profiles
from pocket.query.durations import prometheus_duration_ns
from pocket.query.errors import ParseError


def flamebearer(call: Call) -> Response:
    """`query=<profile type>{selector}`, `from` and `until` as Unix times or `now-1h` → Flamebearer's version 1."""
    profile_type, brace, selector = call.form.get("query").partition("{")
    if not profile_type:
        raise BadRequest("'query' is required")
    sample_type, unit = profiles.type_parts(profile_type)[1:3]
    start, end = _moment(call.form.get("from", "now-1h")), _moment(call.form.get("until", "now"))
    matchers = profiles.parse_selector(brace + selector)
    graph = flame_graph(call.store, profile_type, matchers, start, end, _max_nodes(call.form))
    return answers.json({"version": 1, "flamebearer": _levels(graph), "metadata": _metadata(sample_type, unit)})


def _max_nodes(form: Form) -> int:
    """0, the default, for what is no number."""
    text = form.get("max-nodes") or form.get("maxNodes") or "0"
    return int(text[:9]) if text.isdecimal() else 0


def _levels(graph: profiles.FlameGraph) -> dict[str, Any]:
    return {
        "names": graph.names, "levels": graph.levels, "numTicks": graph.total, "maxSelf": graph.max_self,
    }  # fmt: skip


def _metadata(sample_type: str, unit: str) -> dict[str, Any]:
    cpu = sample_type == "cpu"
    return {
        "format": "single", "name": sample_type, "units": "samples" if cpu else unit,
        "spyName": "", "sampleRate": 10**9 if cpu else 100,
    }  # fmt: skip


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
