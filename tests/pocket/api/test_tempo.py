# ruff: noqa: E501 - a case a line reads best
"""Tempo's API over a store: shapes, protobuf, ids, tags, errors."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from pocket.api import tempo
from pocket.api.times import go_duration
from pocket.config import Settings
from pocket.rows import Span, SpanEvent, SpanLink
from pocket.store import Store

S, MS = 10**9, 10**6
START = time.time_ns() // S * S - 60 * S
TRACE = "00ab" + "0" * 27 + "1"


def span(number: int, parent: int, name: str, service: str, **more: Any) -> Span:
    return Span(
        TRACE, f"{number:016x}", f"{parent:016x}" if parent else "", name, 2, START + number * MS,
        START + (number + 10) * MS, resource={"service.name": service}, scope_name="lib", **more,
    )  # fmt: skip


SPANS = [
    span(1, 0, "GET /roll", "frontend", attributes={"http.response.status_code": 500, "ok": True, "ratio": 0.5, "tags": ["a", "b"]}),
    span(2, 1, "roll die", "roller", status=2, status_message="boom", events=[SpanEvent(START, "exception", {"type": "E"})],
         links=[SpanLink("f" * 32, "e" * 16)], scope_attributes={"mode": "auto"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(Settings(data_dir=tmp_path_factory.mktemp("tempo")))
    store.append_spans(SPANS)
    store.flush()
    yield store
    store.close()


@pytest_asyncio.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(tempo.app(store, Settings(data_dir=tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url="http://tempo") as client:
        yield client


async def test_a_trace_in_json(client: httpx.AsyncClient) -> None:
    v1 = (await client.get(f"/api/traces/{TRACE}")).json()
    v2 = (await client.get(f"/api/v2/traces/{TRACE.lstrip('0')}")).json()  # short ids are padded
    assert v1["batches"] == v2["trace"]["resourceSpans"]
    roller = next(b for b in v1["batches"] if b["resource"]["attributes"][0]["value"]["stringValue"] == "roller")
    assert roller["scopeSpans"] == [
        {
            "scope": {"name": "lib", "attributes": [{"key": "mode", "value": {"stringValue": "auto"}}]},
            "spans": [
                {
                    "traceId": "AKsAAAAAAAAAAAAAAAAAAQ==", "spanId": "AAAAAAAAAAI=", "parentSpanId": "AAAAAAAAAAE=",
                    "name": "roll die", "kind": "SPAN_KIND_SERVER", "startTimeUnixNano": str(START + 2 * MS),
                    "endTimeUnixNano": str(START + 12 * MS),
                    "events": [{"timeUnixNano": str(START), "name": "exception",
                                "attributes": [{"key": "type", "value": {"stringValue": "E"}}]}],
                    "links": [{"traceId": "/////////////////////w==", "spanId": "7u7u7u7u7u4="}],
                    "status": {"message": "boom", "code": "STATUS_CODE_ERROR"},
                }
            ],
        }
    ]  # fmt: skip


async def test_a_trace_in_protobuf(client: httpx.AsyncClient) -> None:
    headers = {"Accept": "application/protobuf"}
    v1 = await client.get(f"/api/traces/{TRACE}", headers=headers)
    assert v1.headers["content-type"] == "application/protobuf"
    trace = TracesData.FromString(v1.content)
    spans = [s for r in trace.resource_spans for scope in r.scope_spans for s in scope.spans]
    assert {s.name for s in spans} == {"GET /roll", "roll die"}
    assert {a.key: a.value.WhichOneof("value") for s in spans for a in s.attributes} == {
        "http.response.status_code": "int_value", "ok": "bool_value", "ratio": "double_value", "tags": "array_value",
    }  # fmt: skip
    v2 = (await client.get(f"/api/v2/traces/{TRACE}", headers=headers)).content
    # TraceByIDResponse: field 1 is the trace, length-delimited; its length takes two bytes here
    length = (v2[1] & 0x7F) | v2[2] << 7
    assert v2[0] == 0x0A
    assert v2[3 : 3 + length] == v1.content


@pytest.mark.parametrize("version", ["", "/v2"])
async def test_ids(client: httpx.AsyncClient, version: str) -> None:
    assert (await client.get(f"/api{version}/traces/{'c' * 32}")).status_code == 404
    bad = await client.get(f"/api{version}/traces/12xy")
    assert (bad.status_code, bad.text) == (
        400,
        "trace IDs can only contain hex characters: invalid character 'x' at position 3",
    )
    long = await client.get(f"/api{version}/traces/{'0' * 33}")
    assert (long.status_code, long.text) == (400, "trace IDs can't be larger than 128 bits")


async def test_search(client: httpx.AsyncClient) -> None:
    query = "{ status = error } | select(span.ok, resource.service.name, name)"
    [found] = (await client.get("/api/search", params={"q": query})).json()["traces"]
    spans = {
        "spans": [
            {
                "spanID": "0000000000000002", "name": "roll die", "startTimeUnixNano": str(START + 2 * MS),
                "durationNanos": "10000000",
                "attributes": [{"key": "status", "value": {"stringValue": "error"}},
                               {"key": "service.name", "value": {"stringValue": "roller"}}],
            }
        ],
        "matched": 1,
    }  # fmt: skip
    assert found == {
        "traceID": TRACE.lstrip("0"), "rootServiceName": "frontend", "rootTraceName": "GET /roll",
        "startTimeUnixNano": str(START + MS), "durationMs": 11, "spanSet": spans, "spanSets": [spans],
        "serviceStats": {"frontend": {"spanCount": 1}, "roller": {"spanCount": 1, "errorCount": 1}},
    }  # fmt: skip
    [one] = (await client.get("/api/search", params={"q": "{}", "spss": 1})).json()["traces"]
    assert (len(one["spanSet"]["spans"]), one["spanSet"]["matched"]) == (1, 2)


async def test_aggregates_are_attributes_of_the_spanset(client: httpx.AsyncClient) -> None:
    [found] = (await client.get("/api/search", params={"q": "{} | by(status) | avg(duration) > 1ms"})).json()[
        "traces"
    ]
    assert found["spanSets"][0]["attributes"] == [
        {"key": "by(status)", "value": {"stringValue": "unset"}},
        {"key": "avg(duration)", "value": {"stringValue": "10ms"}},
    ]


async def test_the_range_and_legacy_parameters(client: httpx.AsyncClient) -> None:
    past = {"start": START // S - 100, "end": START // S - 50}
    assert (await client.get("/api/search", params={"q": "{}", **past})).json()["traces"] == []
    [found] = (
        await client.get("/api/search", params={"tags": "service.name=roller", "minDuration": "5ms"})
    ).json()["traces"]
    assert "spanSets" not in found
    assert (await client.get("/api/search", params={"minDuration": "1s"})).json()["traces"] == []


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("/api/search", {"q": "{"}, "invalid TraceQL query: parse error at line 1, col 2: syntax error: unexpected $end"),
        ("/api/search", {"q": "{}", "limit": "0"}, "invalid limit: must be a positive number"),
        ("/api/search", {"start": "5", "end": "3"}, "http parameter start must be before end. received start=5 end=3"),
        ("/api/search", {"minDuration": "x"}, 'invalid minDuration: time: invalid duration "x"'),
        ("/api/search", {"q": "{}", "tags": "a=b"}, "invalid request: can't specify tags and q in the same query"),
        ("/api/metrics/query_range", {"q": "{}"}, "not a metrics query"),
        ("/api/metrics/query_range", {"q": "{} | rate()", "step": "x"}, 'cannot parse "x" to a valid duration'),
        ("/api/v2/search/tags", {"scope": "nope"}, "invalid scope: nope"),
    ],
)  # fmt: skip
async def test_errors_are_plain_text(
    client: httpx.AsyncClient, path: str, params: dict[str, str], message: str
) -> None:
    answer = await client.get(path, params=params)
    assert (answer.status_code, answer.text) == (400, message)


@pytest.mark.parametrize("value", ["\0", "9" * 30, "-1", "1e400", "NaN", "2024-13-01T00:00:00Z", "{}", "1h", "٣"])
@pytest.mark.parametrize(
    "name", ["start", "end", "step", "limit", "since", "spss", "q", "tags", "scope", "minDuration"]
)
async def test_no_parameter_brings_it_down(client: httpx.AsyncClient, name: str, value: str) -> None:
    for path in (
        "/api/search",
        "/api/v2/search/tags",
        "/api/v2/search/tag/name/values",
        "/api/metrics/query_range",
    ):
        answer = await client.get(path, params={"q": "{} | rate()", name: value})
        assert answer.status_code in (200, 400), (path, answer.text)


async def test_tags(client: httpx.AsyncClient) -> None:
    scopes = (await client.get("/api/v2/search/tags")).json()["scopes"]
    named = {scope["name"]: scope["tags"] for scope in scopes}
    assert named["resource"] == ["service.name"]
    assert named["span"] == ["http.response.status_code", "ok", "ratio", "tags"]
    assert named["event"] == ["type"]
    assert named["instrumentation"] == ["mode"]
    assert "rootServiceName" in named["intrinsic"]
    assert "service.name" in (await client.get("/api/search/tags")).json()["tagNames"]


@pytest.mark.parametrize(
    ("tag", "query", "values"),
    [
        ("resource.service.name", "", [("string", "frontend"), ("string", "roller")]),
        (".service.name", "", [("string", "frontend"), ("string", "roller")]),
        ("resource%252Eservice%252Ename", "", [("string", "frontend"), ("string", "roller")]),  # encoded twice
        ("resource.service.name", "{ status = error }", [("string", "roller")]),
        ("resource.service.name", "{ status = error && span.x = }", [("string", "roller")]),  # half typed
        ("span.http.response.status_code", "", [("int", "500")]),
        ("span.ok", "", [("bool", "true")]),
        ("span.tags", "", [("string", "a"), ("string", "b")]),
        ("name", "", [("string", "GET /roll"), ("string", "roll die")]),
        ("instrumentation.mode", "", [("string", "auto")]),
        ("status", "", [("keyword", "unset"), ("keyword", "ok"), ("keyword", "error")]),
        ("duration", "", []),
    ],
)
async def test_tag_values(client: httpx.AsyncClient, tag: str, query: str, values: list[tuple[str, str]]) -> None:
    params = {"q": query} if query else {}
    found = (await client.get(f"/api/v2/search/tag/{tag}/values", params=params)).json()["tagValues"]
    assert [(item["type"], item["value"]) for item in found] == values


async def test_metrics(client: httpx.AsyncClient) -> None:
    span: dict[str, int | str] = {"start": START // S - 10, "end": START // S + 10, "step": "20s"}
    query = "{} | count_over_time() by (resource.service.name)"
    series = (await client.get("/api/metrics/query_range", params={"q": query, **span})).json()["series"]
    assert {s["labels"][0]["value"]["stringValue"]: sum(p.get("value", 0) for p in s["samples"]) for s in series} == {
        "frontend": 1, "roller": 1,
    }  # fmt: skip
    [one] = (await client.get("/api/metrics/query", params={"query": "{} | rate()", **span})).json()["series"]
    assert one == {"labels": [{"key": "__name__", "value": {"stringValue": "rate"}}], "value": 0.1}


async def test_echo_ready_buildinfo_and_unknown_paths(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/echo")).text == "echo\n"
    assert (await client.get("/ready")).text == "ready\n"
    assert (await client.get("/api/status/buildinfo")).json()["version"].startswith("3.")
    assert (await client.get("/api/nope")).status_code == 404


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0s"), (5, "5ns"), (1500, "1.5µs"), (2_000_000, "2ms"), (1_500_000_000, "1.5s"), (3_600_000_000_000, "1h0m0s"), (-62_500_000_000, "-1m2.5s")],
)  # fmt: skip
def test_durations_are_printed_as_go_prints_them(ns: int, text: str) -> None:
    assert go_duration(ns) == text
