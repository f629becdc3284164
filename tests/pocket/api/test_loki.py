# ruff: noqa: E501 - a case a line reads best
"""Loki's API over a store: shapes, parameters, errors, live tail."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
import websockets

from pocket.api import loki
from pocket.config import Settings
from pocket.rows import LogEntry
from pocket.store import Store

S = 10**9
NOW = time.time_ns()
LABELS = {"service_name": "dice-roller", "level": "info"}


def entry(line: str, seconds_ago: float, labels: dict[str, str] = LABELS, **metadata: str) -> LogEntry:
    return LogEntry(labels, NOW - int(seconds_ago * S), line, metadata)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = Store(Settings(data_dir=tmp_path_factory.mktemp("loki")))
    store.append_logs(
        [
            entry('{"message":"rolled","roll_value":5}', 30, trace_id="a1"),
            entry('{"message":"rolled","roll_value":2}', 20, trace_id="a2"),
            entry("boom", 10, {**LABELS, "level": "error"}),
        ]
    )
    store.flush()
    yield store
    store.close()


@pytest_asyncio.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(loki.app(store, Settings(data_dir=tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url="http://loki/loki/api/v1") as client:
        yield client


async def test_streams_merged_or_categorized(client: httpx.AsyncClient) -> None:
    params = {"query": '{level="info"} | json | roll_value > 4'}
    plain = (await client.get("/query_range", params=params)).json()
    assert plain["status"] == "success"
    assert plain["data"]["resultType"] == "streams"
    [stream] = plain["data"]["result"]
    assert stream["stream"] == {
        **LABELS, "trace_id": "a1", "detected_level": "info", "message": "rolled", "roll_value": "5",
    }  # fmt: skip
    assert stream["values"] == [[str(NOW - 30 * S), '{"message":"rolled","roll_value":5}']]
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    split = (await client.get("/query_range", params=params, headers=headers)).json()["data"]
    assert split["encodingFlags"] == ["categorize-labels"]
    assert split["result"][0]["stream"] == LABELS
    assert split["result"][0]["values"][0][2] == {
        "structuredMetadata": {"trace_id": "a1", "detected_level": "info"},
        "parsed": {"message": "rolled", "roll_value": "5"},
    }


async def test_matrix_vector_and_scalar(client: httpx.AsyncClient) -> None:
    query = 'sum by (level)(count_over_time({service_name="dice-roller"}[1m]))'
    at = str(NOW)
    vector = (await client.get("/query", params={"query": query, "time": at})).json()["data"]
    assert vector["resultType"] == "vector"
    assert [(item["metric"], item["value"][1]) for item in vector["result"]] == [
        ({"level": "error"}, "1"),
        ({"level": "info"}, "2"),
    ]
    matrix = (
        await client.post("/query_range", data={"query": query, "start": NOW - 60 * S, "end": at, "step": "60"})
    ).json()
    assert matrix["data"]["resultType"] == "matrix"
    assert all(t % 60 == 0 for item in matrix["data"]["result"] for t, _ in item["values"])
    health = (await client.get("/query", params={"query": "vector(1)+vector(1)", "time": "5"})).json()["data"]
    assert health["result"] == [{"metric": {}, "value": [5, "2"]}]
    scalar = (await client.get("/query", params={"query": "1+1", "time": "5"})).json()["data"]
    assert (scalar["resultType"], scalar["result"]) == ("scalar", [5, "2"])


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("/query_range", {"query": "{"}, "parse error at line 1, col 2: syntax error: unexpected $end, expecting IDENTIFIER or }"),
        ("/query", {"query": '{a="b"}'}, "log queries are not supported as an instant query type, please change your query to a range query type"),
        ("/query_range", {"query": '{a="b"}', "limit": "5001"}, "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)"),
        ("/query_range", {"query": '{a="b"}', "limit": "x"}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("/query_range", {"query": '{a="b"}', "start": "2", "end": "1"}, "end timestamp must not be before or equal to start time"),
        ("/query_range", {"query": '{a="b"}', "direction": "up"}, "invalid direction 'up'"),
        ("/query_range", {"query": '{a="b"}', "step": "0"}, "zero or negative query resolution step widths are not accepted. Try a positive integer"),
        ("/labels", {"start": "x"}, "could not parse 'start' parameter: strconv.ParseInt: parsing \"x\": invalid syntax"),
        ("/index/stats", {}, "parse error : syntax error: unexpected $end"),
    ],
)  # fmt: skip
async def test_errors_are_plain_text(
    client: httpx.AsyncClient, path: str, params: dict[str, str], message: str
) -> None:
    answer = await client.get(path, params=params)
    assert (answer.status_code, answer.text) == (400, message)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "value", ["\0", "9" * 30, "-1", "1e400", "NaN", "2024-13-01T00:00:00Z", "\ud7ff", "1.5.2", "+5"]
)
@pytest.mark.parametrize(
    "name", ["start", "end", "time", "step", "limit", "since", "interval", "direction", "query"]
)
async def test_no_parameter_brings_it_down(client: httpx.AsyncClient, name: str, value: str) -> None:
    for path in ("/query_range", "/query", "/labels", "/series", "/index/stats"):
        answer = await client.get(path, params={"query": 'rate({a="b"}[1m])', name: value})
        assert answer.status_code in (200, 400), (path, answer.text)


async def test_labels_series_and_index(client: httpx.AsyncClient) -> None:
    assert (await client.get("/labels")).json() == {"status": "success", "data": ["level", "service_name"]}
    assert (await client.get("/label/level/values")).json()["data"] == ["error", "info"]
    assert (await client.get("/label/level/values", params={"query": '{level="info"}'})).json()["data"] == ["info"]
    assert (await client.get("/label/nope/values")).json() == {"status": "success"}
    found = (await client.get("/series", params={"match[]": '{level="info"}'})).json()
    assert found == {"status": "success", "data": [LABELS]}
    stats = (await client.get("/index/stats", params={"query": '{level=~".+"}'})).json()
    assert stats == {"streams": 2, "chunks": 2, "entries": 3, "bytes": 74}
    volume = (await client.get("/index/volume", params={"query": "{}", "targetLabels": "level"})).json()["data"]
    assert {item["metric"]["level"]: item["value"][1] for item in volume["result"]} == {"info": "70", "error": "4"}


async def test_detected_labels_and_fields(client: httpx.AsyncClient) -> None:
    labels = (await client.get("/detected_labels")).json()["detectedLabels"]
    assert labels == [{"label": "level", "cardinality": 2}, {"label": "service_name", "cardinality": 1}]
    fields = (await client.get("/detected_fields", params={"query": '{level="info"}'})).json()["fields"]
    assert {"label": "roll_value", "type": "int", "cardinality": 2, "parsers": ["json"]} in fields
    values = (await client.get("/detected_field/roll_value/values", params={"query": '{level="info"}'})).json()
    assert values["values"] == ["2", "5"]


async def test_ready_buildinfo_and_unknown_paths(client: httpx.AsyncClient) -> None:
    assert (await client.get("http://loki/ready")).text == "ready\n"
    assert (await client.get("/status/buildinfo")).json()["version"].startswith("3.")
    unknown = await client.get("/nope")
    assert (unknown.status_code, unknown.text) == (404, "404 page not found\n")


# ---- live tail
@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="websockets-sansio"))
    task = asyncio.create_task(server.serve([listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await task


async def test_tail_gives_what_is_there_and_what_comes(store: Store, tmp_path: Path) -> None:
    async with serving(loki.app(store, Settings(data_dir=tmp_path))) as address:
        url = f"ws://{address}/loki/api/v1/tail?query=%7Blevel%3D%22info%22%7D"
        async with websockets.connect(url) as tail:
            first = json.loads(await asyncio.wait_for(tail.recv(), 10))
            assert lines(first) == {'{"message":"rolled","roll_value":5}', '{"message":"rolled","roll_value":2}'}
            for ignored in ("text", b"bytes"):
                await tail.send(ignored)
            store.append_logs(
                [LogEntry(LABELS, time.time_ns(), "new"), LogEntry({"level": "error"}, time.time_ns(), "other")]
            )
            store.append_logs([LogEntry(LABELS, time.time_ns() - 2 * S, "late")])
            seen: set[str] = set()
            while seen != {"new", "late"}:
                seen |= lines(json.loads(await asyncio.wait_for(tail.recv(), 10)))
                assert seen <= {"new", "late"}


def lines(message: dict[str, Any]) -> set[str]:
    return {line for stream in message["streams"] for _, line in stream["values"]}


async def test_tails_are_bounded(store: Store, tmp_path: Path) -> None:
    async with serving(loki.app(store, Settings(data_dir=tmp_path, tails=1))) as address:
        url = f"ws://{address}/loki/api/v1/tail?query=%7Blevel%3D%22info%22%7D"
        async with websockets.connect(url):
            with pytest.raises(websockets.InvalidStatus) as refused:
                async with websockets.connect(url):
                    pass
        assert refused.value.response.status_code == 400
        assert refused.value.response.body == b"max concurrent tail requests limit exceeded, count > limit (2 > 1)"
        for _ in range(50):  # the one before has to notice that it is closed
            try:
                async with websockets.connect(url):
                    return
            except websockets.InvalidStatus:
                await asyncio.sleep(0.1)
        pytest.fail("a tail that ended still counts")


async def test_tail_refuses_a_bad_query_before_it_accepts(store: Store, tmp_path: Path) -> None:
    async with serving(loki.app(store, Settings(data_dir=tmp_path))) as address:
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with websockets.connect(f"ws://{address}/loki/api/v1/tail?query=%7B"):
                pass
    assert refused.value.response.status_code == 400
