"""The same pushes and the same calls, to Pyroscope itself and to the twin.

Left different, on purpose: the label `__service_name__`, ties among the smallest bars under `maxNodes`, and the
wording of faults that the protobuf and PromQL libraries find.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from pocket.admission.bounds import Bounds
from pocket.api import pyroscope
from pocket.api.pyroscope.routes import SERVICE
from pocket.config import Settings
from pocket.receive import pyroscope as push
from pocket.receive.messages import Profile, ProfilePush
from pocket.store import Store

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
READY_SECONDS = 90.0
CONFIG = """
server: {{http_listen_address: 127.0.0.1, http_listen_port: {http}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: error}}
architecture_storage: v2
memberlist: {{bind_addr: [127.0.0.1], bind_port: {gossip}}}
storage: {{backend: filesystem, filesystem: {{dir: {path}/shared}}}}
metastore:
  address: localhost:{grpc}
  min_ready_duration: 0s
  data_dir: {path}/metastore
  raft: {{dir: {path}/raft, bind_address: "localhost:{raft}", advertise_address: "localhost:{raft}", server_id: "localhost:{raft}"}}
query_backend: {{address: "localhost:{grpc}"}}
segment_writer: {{lifecycler: {{address: 127.0.0.1, min_ready_duration: 0s}}}}
self_profiling: {{disable_push: true}}
analytics: {{reporting_enabled: false}}
"""  # noqa: E501
Stacks = dict[str, int]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("ProfileTypes", {}),
    ("LabelValues", {"name": "service_name"}),
    ("LabelValues", {"name": "__profile_type__"}),
    ("LabelValues", {"name": "service_name", "matchers": ['{service_name=~"r.*"}']}),
    ("Series", {"labelNames": ["service_name", "__profile_type__"]}),
    ("SelectMergeStacktraces", {"profileTypeID": CPU, "labelSelector": '{service_name="roller"}'}),
    ("SelectMergeStacktraces", {"profileTypeID": CPU, "labelSelector": "{}"}),
    ("SelectMergeStacktraces", {"profileTypeID": CPU, "labelSelector": '{service_name="roller"}', "maxNodes": 4}),
    ("SelectMergeStacktraces", {"profileTypeID": CPU, "labelSelector": '{service_name="nope"}'}),
    ("SelectMergeStacktraces", {"profileTypeID": "x", "labelSelector": "{}"}),
    ("SelectMergeStacktraces", {"profileTypeID": CPU, "labelSelector": "{}", "start": 5, "end": 3}),
    ("SelectSeries", {"profileTypeID": CPU, "labelSelector": "{}", "step": 15}),
    ("SelectSeries", {"profileTypeID": CPU, "labelSelector": "{}", "step": 15, "groupBy": ["service_name"]}),
    ("SelectSeries", {"profileTypeID": CPU, "labelSelector": "{}", "step": 5, "aggregation": 1}),
    ("SelectSeries", {"profileTypeID": CPU, "labelSelector": "{}"}),
    ("LabelValues", {}),
    ("Nope", {}),
]


def pprof(stacks: Stacks, seconds: int) -> bytes:
    profile, strings = Profile(), [""]
    functions: dict[str, int] = {}

    def text(value: str) -> int:
        if value not in strings:
            strings.append(value)
        return strings.index(value)

    kind = profile.sample_type.add(type=text("cpu"), unit=text("nanoseconds"))
    profile.period_type.CopyFrom(kind)
    for stack, value in stacks.items():
        sample = profile.sample.add(value=[value])
        for frame in reversed(stack.split(";")):
            if frame not in functions:
                functions[frame] = len(functions) + 1
                profile.function.add(id=functions[frame], name=text(frame))
                profile.location.add(id=functions[frame]).line.add(function_id=functions[frame])
            sample.location_id.append(functions[frame])
    profile.time_nanos, profile.duration_nanos, profile.period = seconds * 10**9, 10**10, 10**7
    profile.string_table.extend(strings)
    body: bytes = profile.SerializeToString()
    return body


def pushes(now: int) -> list[bytes]:
    shapes: list[tuple[str, int, Stacks]] = [
        ("roller", now, {"main;roll": 10, "main;roll;random": 30, "main;shake;z;y;x": 60, "b;a;a;a": 3}),
        ("roller", now + 10, {"main;shake": 5, "main;roll": 10}),
        ("frontend", now + 10, {"other;x": 7}),
    ]
    bodies = []
    for service, seconds, stacks in shapes:
        message = ProfilePush()
        series = message.series.add()
        for name, value in (("__name__", "process_cpu"), ("service_name", service), ("stage", "1")):
            series.labels.add(name=name, value=value)
        series.samples.add(rawProfile=pprof(stacks, seconds))
        bodies.append(message.SerializeToString())
    return bodies


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(reached: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if reached():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    pytest.fail(f"{process.args!r} did not become ready: {process.poll()}")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, int]]:
    """A Pyroscope process with `pushes(now)`, as (client, now)."""
    directory = os.environ.get("REAL_TOOLS_DIR", "")
    binary = shutil.which("pyroscope", path=directory) if directory else shutil.which("pyroscope")
    if not binary:
        pytest.skip("no pyroscope binary in REAL_TOOLS_DIR or PATH")
    path: Path = tmp_path_factory.mktemp("pyroscope")
    http = free_port()
    ports = {"http": http, "grpc": free_port(), "gossip": free_port(), "raft": free_port()}
    (path / "pyroscope.yaml").write_text(CONFIG.format(path=path, **ports))
    with (path / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, f"-config.file={path}/pyroscope.yaml"], stdout=log, stderr=log, cwd=path
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{http}", timeout=30) as client:
            now = int(time.time()) - 40
            for body in pushes(now):
                until(partial(pushed, client, body), process)
            everything = {"profileTypeID": CPU, "labelSelector": "{}", **span(now)}
            until(
                lambda: total(client.post(f"{SERVICE}/SelectMergeStacktraces", json=everything)) == 125,
                process,
            )
            yield client, now
    finally:
        process.kill()
        process.wait(20)


def pushed(client: httpx.Client, body: bytes) -> bool:
    headers = {"content-type": "application/proto"}
    return client.post("/push.v1.PusherService/Push", content=body, headers=headers).is_success


def span(now: int) -> dict[str, int]:
    return {"start": (now - 20) * 1000, "end": (now + 30) * 1000}


def total(answer: httpx.Response) -> int:
    return int(answer.json().get("flamegraph", {}).get("total", 0)) if answer.is_success else 0


@pytest_asyncio.fixture
async def twin(real: tuple[httpx.Client, int], tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(data_dir=tmp_path)
    store = Store(settings)
    for body in pushes(real[1]):
        store.append_profiles(push.decode(body, "application/proto", Bounds.now(settings), 1 << 24))
    store.flush()
    transport = httpx.ASGITransport(pyroscope.app(store, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://twin") as client:
        yield client
    store.close()


async def test_calls(real: tuple[httpx.Client, int], twin: httpx.AsyncClient) -> None:
    client, now = real
    for method, body in CALLS:
        path, asked = f"{SERVICE}/{method}", {**span(now), **body}
        theirs = await asyncio.to_thread(client.post, path, json=asked)
        ours = await twin.post(path, json=asked)
        assert ours.status_code == theirs.status_code, (method, body, theirs.text, ours.text)
        if theirs.status_code != 404:
            assert ours.json() == theirs.json(), (method, body)


async def test_render(real: tuple[httpx.Client, int], twin: httpx.AsyncClient) -> None:
    client, now = real
    params = {"query": CPU + '{service_name="roller"}', "from": str(now - 20), "until": str(now + 30)}
    theirs = (await asyncio.to_thread(client.get, "/pyroscope/render", params=params)).json()
    ours = (await twin.get("/pyroscope/render", params=params)).json()
    assert ours == {key: theirs[key] for key in ours}
