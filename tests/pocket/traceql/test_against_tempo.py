# ruff: noqa: E501 - a case a line reads best
"""The same spans and the same requests, to Tempo itself and to the twin.

Left different, on purpose: a v2 trace that does not exist is a 404 (Tempo 3 answers an empty trace), ids with leading
zeros match as they are written, an attribute that is nil is not shown, ties in topk, `span:childCount`, `^` (Tempo swaps
its operands), `sum_over_time` of more than one value a step (Tempo 3.0.3 loses it),
spans without a root under `!<` and the like, with `{ }` on the right.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from pocket.api import tempo
from pocket.config import Settings
from pocket.rows import Span
from pocket.store import Store

S = 10**9
FOR_EVER = 10**10  # a record is of long ago
SEARCHES = [
    "{}", '{ resource.service.name = "frontend" }', '{ .service.name = "frontend" }', '{ span.die.type = "fair" }', '{ span.die.type != "fair" }',
    '{ span.die.type =~ "f.*|r.*" }', '{ span.die.type !~ "f.*" }', '{ name =~ "GET.*" }', '{ name =~ "GET" }', "{ duration > 100ms }", "{ status = error }",
    "{ status = ok || status = unset }", "{ kind != client && status = error }", '{ statusMessage = "boom" }', '{ rootServiceName = "frontend" && name = "SELECT" }',
    "{ traceDuration > 1s }", '{ trace:id = "a1" }', "{ span.http.response.status_code >= 500 }", '{ span.http.response.status_code = "200" }',
    "{ span.http.response.status_code > 199.5 }", "{ span.ratio = 0.25 }", "{ span.ratio < 1 }", "{ span.die.found = true }", "{ !span.flag }", "{ span.die.type != nil }",
    '{ .nope != "x" }', '{ span.tags = "a" }', '{ span.tags != "a" }', '{ span.tags =~ "b|c" }', "{ span.nums > 2 }", '{ span."a b" = "spaced" }', "{ .replica = 2 }",
    '{ .replica = "shadow" }', "{ event.attempt = 2 }", '{ event:name = "exception" }', "{ event:timeSinceStart > 15ms }", '{ link.why = "follows" }',
    '{ instrumentation:name = "tests" }', "{ span.die.result + 1 = 8 }", "{ span.die.result % 2 = 1 }", "{ -span.die.result < -2 }", "{ 3 < 2 }", "{ span.big = 1099511627776 }",
    '{ resource.service.name = "frontend" } && { resource.service.name = "roller" }', '{ name = "GET /roll" } > { kind = client }', '{ name = "GET /roll" } >> { name = "SELECT" }',
    '{ name = "SELECT" } << { name = "GET /roll" }', '{ kind = client } < { name = "GET /roll" }', '{ name = "roll die" } ~ { name = "roll die" }', "{ } > { }",
    "{ kind = server } !> { kind = client }", '{ kind = server } !>> { name = "SELECT" }', '{ name="SELECT" } !<< { kind = server }',
    '{ name = "GET /roll" } &>> { name = "SELECT" }', '{ name = "roll die" } &~ { name = "roll die" }', '{ name = "orphan" } > { }', "{ nestedSetParent < 0 }",
    '{ status = error || name = "odd" && kind = server }', '{ name="SELECT" } || { name="odd" } && { name="GET" }', "{ } | count() > 2", "{ } | avg(duration) > 100ms",
    "{ } | max(duration) > 1s", "{ } | sum(span.die.result) > 5", '{ name = "roll die" } | count() > 1 | avg(span.die.result) = 2', "{ } | by(resource.service.name) | count() > 2",
    "{ } | by(kind) | count() > 1 | coalesce()", "{ status = error } | select(name, span.die.type, resource.service.name, statusMessage, kind)", "{ } | { status = error }",
    "({ status = error }) && ({ kind = server })", "{ status = error } with (most_recent=true)", "{ true }",
]  # fmt: skip
FAULTS = [
    "foo", "{", "}", "{name=5}", "{ name }", '{ status = "error" }', "{ status = foo }", '{ service.name = "x" }', "{ .a = }", "{ } |", "{ } | count()", "{ } | avg(name) > 1",
    "{ } | by(1)", '{ name =~ "(" }', "{ status > ok }", "{ !name }", "{ parent = nil }", "{ name = nil }", "{ } && ", "( { }", '{ .a = "unterminated }', "{ a.b.c = 1 }",
    "{ } with (foo)", "{ } | rate() | topk(0)", "{ } | quantile_over_time(duration)",
]  # fmt: skip
METRICS = [
    "{} | rate()", "{} | rate() by (resource.service.name)", "{} | count_over_time() by (status, name)", "{} | min_over_time(duration)", "{} | max_over_time(duration) by (kind)",
    "{} | avg_over_time(duration) by (span.die.type)", "{} | quantile_over_time(duration, .5, .9)", "{} | quantile_over_time(duration, .99) by (resource.service.name)",
    "{} | histogram_over_time(duration)", "{} | histogram_over_time(span.die.result) by (resource.service.name)", "{} | count_over_time() by (resource.service.name) > 1",
    '{ name="nope" } | rate()', "{} | rate() by (span.nope)", "{} | rate() by (span.ratio)", "{} | max_over_time(span.ratio)",
]  # fmt: skip
TAGS = ["resource.service.name", ".service.name", "name", "status", "kind", "span.die.type", "span.die.result", "span.flag", "span.tags", "nope", "duration", "event:name", "event.attempt", 'span."a b"']  # fmt: skip
BAD = [
    {"limit": "0"},
    {"limit": "x"},
    {"start": "x"},
    {"end": "-1"},
    {"spss": "x"},
    {"minDuration": "x"},
    {"tags": 'a="'},
    {"tags": "a=b", "q": "{}"},
]
Tempo = tuple[httpx.Client, int, list[Span]]


@pytest_asyncio.fixture
async def twin(real_tempo: Tempo, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(data_dir=tmp_path, retention_seconds=FOR_EVER)
    store = Store(settings)
    store.append_spans(real_tempo[2])
    store.flush()
    transport = httpx.ASGITransport(tempo.app(store, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://twin") as client:
        yield client
    store.close()


async def same(real: httpx.Client, twin: httpx.AsyncClient, path: str, **query: Any) -> None:
    theirs = await asyncio.to_thread(real.get, path, params=query)
    ours = await twin.get(path, params=query)
    assert ours.status_code == theirs.status_code, (path, query, theirs.text, ours.text)
    if theirs.status_code == 200:
        assert_alike(normal(ours.json()), normal(theirs.json()), f"{path} {query}")
    else:
        assert ours.text == theirs.text, (path, query)


def normal(value: Any, key: str = "") -> Any:
    """Without statistics; lists whose order means nothing in one order. The first spanset is any of them."""
    if isinstance(value, dict):
        return {k: normal(v, k) for k, v in value.items() if k not in ("metrics", "exemplars", "spanSet")}
    if isinstance(value, list):
        found = [normal(item) for item in value]
        return (
            found
            if key in ("traces", "samples")
            else sorted(found, key=lambda item: json.dumps(item, sort_keys=True))
        )
    return value


def assert_alike(ours: Any, theirs: Any, where: str) -> None:
    """Equal, but for the last digits of numbers."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), (where, ours, theirs)
        for key in theirs:
            assert_alike(ours[key], theirs[key], f"{where}/{key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), (where, ours, theirs)
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_alike(*pair, f"{where}[{index}]")
    elif ours != theirs:
        assert isinstance(theirs, float), (where, ours, theirs)
        assert math.isclose(ours, theirs, rel_tol=1e-12), (where, ours, theirs)


async def test_searches(real_tempo: Tempo, twin: httpx.AsyncClient) -> None:
    real, base, _ = real_tempo
    span = {"start": base // S - 60, "end": base // S + 240}
    for text in SEARCHES:
        await same(real, twin, "/api/search", q=text, limit=50, spss=10, **span)
    for options in (
        {"tags": "service.name=frontend"},
        {"tags": "die.type=risky"},
        {"minDuration": "1s"},
        {"minDuration": "10ms", "maxDuration": "100ms"},
    ):
        await same(real, twin, "/api/search", **options, **span)


async def test_faults(real_tempo: Tempo, twin: httpx.AsyncClient) -> None:
    real, base, _ = real_tempo
    for text in FAULTS:
        await same(real, twin, "/api/search", q=text, start=base // S, end=base // S + 1)
    for options in BAD:
        await same(real, twin, "/api/search", **options)
    for trace_id in ("zz", "0" * 33, "abcd1234"):
        await same(real, twin, f"/api/traces/{trace_id}")


async def test_metrics(real_tempo: Tempo, twin: httpx.AsyncClient) -> None:
    real, base, _ = real_tempo
    for text in METRICS:
        await same(
            real, twin, "/api/metrics/query_range", q=text, start=base // S - 60, end=base // S + 120, step="20s"
        )
        await same(real, twin, "/api/metrics/query", q=text, start=base // S - 60, end=base // S + 120)
    await same(
        real,
        twin,
        "/api/metrics/query_range",
        q="{} | rate()",
        start=base // S - 57,
        end=base // S + 121,
        step="7s",
    )


async def test_traces_and_tags(real_tempo: Tempo, twin: httpx.AsyncClient) -> None:
    real, _, _ = real_tempo
    for trace_id in ("a1", "a2", "a3", "a4", "000000a6"):
        await same(real, twin, f"/api/traces/{trace_id}")
        await same(real, twin, f"/api/v2/traces/{trace_id}")
    for path in (
        "/api/search/tags",
        "/api/v2/search/tags",
        "/api/v2/search/tags?scope=span",
        "/api/v2/search/tags?scope=nope",
    ):
        await same(real, twin, path)
    for tag in TAGS:
        await same(real, twin, f"/api/v2/search/tag/{tag}/values")
        await same(
            real, twin, f"/api/v2/search/tag/{tag}/values", q='{ resource.service.name = "roller" && span.foo = }'
        )
