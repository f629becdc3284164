# ruff: noqa: E501 - a case a line reads best
"""Pyroscope's querier over a store: connect in JSON and protobuf, flame graphs, time series."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from pocket.api import pyroscope
from pocket.api.pyroscope.messages import MESSAGES
from pocket.config import Settings
from pocket.query import profiles
from pocket.rows import ProfileSample
from pocket.store import Store

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
START = 1_700_000_000_000
SERVICE = "/querier.v1.QuerierService"


def sample(stack: str, value: int, seconds: int, **labels: str) -> ProfileSample:
    return ProfileSample(
        CPU, {"service_name": "roller", **labels}, START + seconds * 1000, tuple(stack.split(";")), value
    )


SAMPLES = [
    sample("main;roll", 10, 1),
    sample("main;roll;random", 30, 1),
    sample("main;shake", 50, 12, span_id="00000000000000aa"),
    sample("main;shake", 5, 22),
    sample("other;x", 7, 22, service_name="frontend"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(Settings(data_dir=tmp_path_factory.mktemp("pyroscope")))
    store.append_profiles(SAMPLES)
    store.flush()
    yield store
    store.close()


@pytest_asyncio.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(pyroscope.app(store, Settings(data_dir=tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url="http://pyroscope") as client:
        yield client


async def call(client: httpx.AsyncClient, method: str, **body: Any) -> Any:
    answer = await client.post(f"{SERVICE}/{method}", json={"start": START, "end": START + 60_000, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_profile_types(client: httpx.AsyncClient) -> None:
    assert await call(client, "ProfileTypes") == {
        "profileTypes": [
            {"ID": CPU, "name": "process_cpu", "sampleType": "cpu", "sampleUnit": "nanoseconds", "periodType": "cpu",
             "periodUnit": "nanoseconds"}
        ]
    }  # fmt: skip


async def test_a_flame_graph_as_pyroscope_lays_it_out(client: httpx.AsyncClient) -> None:
    body = {"profileTypeID": CPU, "labelSelector": '{service_name="roller"}'}
    graph = (await call(client, "SelectMergeStacktraces", **body))["flamegraph"]
    assert graph == {
        "names": ["total", "main", "shake", "roll", "random"],
        "levels": [
            {"values": ["0", "95", "0", "0"]},
            {"values": ["0", "95", "0", "1"]},
            {"values": ["0", "40", "10", "3", "0", "55", "55", "2"]},
            {"values": ["10", "30", "30", "4"]},
        ],
        "total": "95",
        "maxSelf": "55",
    }


async def test_the_same_in_protobuf(client: httpx.AsyncClient) -> None:
    request = MESSAGES["SelectMergeStacktracesRequest"](profile_typeID=CPU, start=START, end=START + 60_000)
    headers = {"content-type": "application/proto"}
    answer = await client.post(
        f"{SERVICE}/SelectMergeStacktraces", content=request.SerializeToString(), headers=headers
    )
    assert answer.headers["content-type"] == "application/proto"
    graph = MESSAGES["SelectMergeStacktracesResponse"].FromString(answer.content).flamegraph
    assert (graph.total, list(graph.levels[0].values)) == (102, [0, 102, 0, 0])


async def test_few_nodes_leave_the_rest_to_other(client: httpx.AsyncClient) -> None:
    body = {"profileTypeID": CPU, "labelSelector": '{service_name="roller"}', "maxNodes": 2}
    graph = (await call(client, "SelectMergeStacktraces", **body))["flamegraph"]
    assert graph["names"] == ["total", "main", "other", "shake"]


async def test_a_span_has_a_profile_of_its_own(client: httpx.AsyncClient) -> None:
    body = {"profileTypeID": CPU, "labelSelector": "{}", "spanSelector": ["00000000000000aa"]}
    for method in ("SelectMergeStacktraces", "SelectMergeSpanProfile"):
        assert (await call(client, method, **body))["flamegraph"]["total"] == "50"


async def test_labels(client: httpx.AsyncClient) -> None:
    names = (await call(client, "LabelNames"))["names"]
    assert {"service_name", "span_id", "__profile_type__", "__name__"} <= set(names)
    assert (await call(client, "LabelValues", name="service_name"))["names"] == ["frontend", "roller"]
    body = {"name": "service_name", "matchers": ['{service_name=~"r.*",__name__="process_cpu"}']}
    assert (await call(client, "LabelValues", **body))["names"] == ["roller"]
    assert await call(client, "LabelValues", name="service_name", matchers=['{__name__="memory"}']) == {}
    found = await call(
        client, "Series", labelNames=["service_name", "__profile_type__"], matchers=['{service_name="roller"}']
    )
    assert found["labelsSet"] == [
        {"labels": [{"name": "__profile_type__", "value": CPU}, {"name": "service_name", "value": "roller"}]}
    ]


async def test_a_series_has_a_point_a_step(client: httpx.AsyncClient) -> None:
    body = {"profileTypeID": CPU, "labelSelector": "{}", "groupBy": ["service_name"], "step": 10}
    found = (await call(client, "SelectSeries", **body))["series"]
    assert [
        (item["labels"][0]["value"], [(int(p["timestamp"]) - START, p["value"]) for p in item["points"]])
        for item in found
    ] == [("roller", [(10_000, 40.0), (20_000, 50.0), (30_000, 5.0)]), ("frontend", [(30_000, 7.0)])]


async def test_render(client: httpx.AsyncClient) -> None:
    params = {
        "query": CPU + '{service_name="roller"}',
        "from": str(START // 1000),
        "until": str(START // 1000 + 60),
    }
    found = (await client.get("/pyroscope/render", params=params)).json()
    assert found["flamebearer"]["numTicks"] == 95
    assert found["metadata"]["format"] == "single"
    for bad in ({"query": "nope"}, {"query": CPU, "from": "yesterday"}, {"query": CPU + "{a"}):
        assert (await client.get("/pyroscope/render", params=bad)).status_code == 400


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        ("SelectMergeStacktraces", {"profileTypeID": "x"}, "profile-type selection must be of the form"),
        (
            "SelectMergeStacktraces",
            {"profileTypeID": CPU, "labelSelector": "{a"},
            "parsing label selector",
        ),
        (
            "SelectMergeStacktraces",
            {"profileTypeID": CPU, "start": 5, "end": 3},
            "query start time is after end time",
        ),
        ("SelectMergeStacktraces", {"profileTypeID": CPU, "spanSelector": ["x"]}, "invalid span id"),
        ("SelectMergeStacktraces", {"profileTypeID": CPU, "start": "x"}, "unmarshal message"),
        ("SelectSeries", {"profileTypeID": CPU}, "step must be >= 1ms"),
        ("SelectSeries", {"profileTypeID": CPU, "step": 0.001}, "exceeded maximum resolution"),
        ("LabelValues", {}, "name is required"),
    ],
)
async def test_errors_are_connects(
    client: httpx.AsyncClient, method: str, body: dict[str, Any], message: str
) -> None:
    answer = await client.post(f"{SERVICE}/{method}", json={"start": START, "end": START + 60_000, **body})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_argument"
    assert message in answer.json()["message"]


async def test_what_is_not_answered(client: httpx.AsyncClient) -> None:
    body = {"profileTypeID": CPU, "format": 4, "start": START, "end": START + 1}
    answer = await client.post(f"{SERVICE}/SelectMergeStacktraces", json=body)
    assert (answer.status_code, answer.json()["code"]) == (501, "unimplemented")
    assert (await client.post(f"{SERVICE}/Diff", json={})).status_code == 404
    assert (await client.post(f"{SERVICE}/ProfileTypes", content=b"x")).status_code == 415
    garbage = await client.post(
        f"{SERVICE}/SelectSeries", content=b"\xff\xff", headers={"content-type": "application/proto"}
    )
    assert garbage.status_code == 400
    not_json = await client.post(
        f"{SERVICE}/SelectSeries", content=b"{", headers={"content-type": "application/json"}
    )
    assert not_json.status_code == 400
    assert (await client.get("/ready")).text == "ready\n"


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.integers(0, 1000)), max_size=20
    ),
    st.integers(0, 8),
)
def test_a_flame_graph_keeps_the_sums(stacks: list[tuple[list[str], int]], max_nodes: int) -> None:
    samples = [ProfileSample(CPU, {}, START, tuple(stack), value) for stack, value in stacks]
    graph = profiles.flame_graph(profiles.merge(samples), max_nodes)
    bars = [bar for level in graph.levels for bar in zip(*[iter(level)] * 4, strict=True)]
    assert sum(own for _, _, own, _ in bars) == graph.total == sum(value for _, value in stacks)
    assert all(gap >= 0 and total >= own >= 0 and 0 <= name < len(graph.names) for gap, total, own, name in bars)
    assert json.dumps(graph.names)
