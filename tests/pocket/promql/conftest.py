"""A source of samples in memory, and a real Prometheus to compare with."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cramjam
import httpx
import numpy as np
import pytest

from pocket.query import promql
from pocket.rows import Labels, Matcher, Series
from tests import golden

TOOLS = Path(__file__).parents[3] / ".tools"


class MemorySource:
    """Series in memory, as the store gives them."""

    def __init__(self) -> None:
        self._series: list[Series] = []

    def add(self, labels: Labels, samples: Sequence[tuple[float, float]]) -> None:
        """`samples` are (seconds, value), oldest first."""
        t_ms = np.array([round(t * 1000) for t, _ in samples], dtype=np.int64)
        self._series.append(Series(labels, t_ms, np.array([value for _, value in samples], dtype=np.float64)))

    def load(self, selector: str, step: float, values: Sequence[float | None], start: float = 0) -> None:
        """One value every `step` seconds, None where there is no sample."""
        labels = {m.name: m.value for m in promql.parse_selector(selector)}
        self.add(labels, [(start + i * step, v) for i, v in enumerate(values) if v is not None])

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        found = []
        for one in self._series:
            low, high = np.searchsorted(one.t_ms, [start_ms, end_ms + 1])
            if high > low and all(m.matches(one.labels) for m in matchers):
                found.append(Series(one.labels, one.t_ms[low:high], one.values[low:high]))
        return found


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
def vector(source: MemorySource) -> Callable[..., dict[str, float]]:
    """Evaluates a query at a time in seconds → value by series, which is written `name{label="value"}`."""

    def evaluate(query: str, t: float = 0) -> dict[str, float]:
        result = promql.instant(source, query, round(t * 1000))
        assert isinstance(result, promql.Vector)
        written = {series_name(sample.labels): sample.value for sample in result.samples}
        assert len(written) == len(result.samples)
        return written

    return evaluate


def series_name(labels: Labels) -> str:
    rest = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
    return labels.get("__name__", "") + (f"{{{rest}}}" if rest else "")


class RealPrometheus:
    """A Prometheus process of its own, filled by remote write."""

    def __init__(self, client: httpx.Client, *, recorded: bool = False) -> None:
        self._client, self.recorded = client, recorded

    def write(self, series: Sequence[tuple[Labels, Sequence[tuple[float, float]]]]) -> None:
        if self.recorded:  # it has them
            return
        body = cramjam.snappy.compress_raw(write_request(series))
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        answer = self._client.post("/api/v1/write", content=bytes(body), headers=headers)
        assert answer.status_code in (200, 204), answer.text

    def query(self, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._client.post(f"/api/v1/{path}", data=parameters).text)
        return answer


def write_request(series: Sequence[tuple[Labels, Sequence[tuple[float, float]]]]) -> bytes:
    """prometheus.WriteRequest: timeseries=1 {labels=1 {name=1, value=2}, samples=2 {value=1, timestamp=2}}."""
    return b"".join(_field(1, _time_series(labels, samples)) for labels, samples in series)


def _time_series(labels: Labels, samples: Sequence[tuple[float, float]]) -> bytes:
    pairs = [_field(1, _field(1, k.encode()) + _field(2, v.encode())) for k, v in sorted(labels.items())]
    points = [
        _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(round(t * 1000))) for t, value in samples
    ]
    return b"".join(pairs + points)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def find_prometheus() -> str | None:
    """A Prometheus 3: ranges and lookback of Debian's Prometheus 2 include their left end."""
    found = shutil.which("prometheus", path=os.environ.get("REAL_TOOLS_DIR")) or shutil.which("prometheus")
    return found if found and " version 3" in _version(found) else None


def _version(binary: str) -> str:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).splitlines()[0]


@pytest.fixture(scope="session")
def real_prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    """A Prometheus 3, or what one answered."""
    if binary := find_prometheus():
        with (
            _running(binary, tmp_path_factory.mktemp("prometheus")) as url,
            httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
            golden.recorded("prometheus", client, _version(binary)),
        ):
            yield RealPrometheus(client)
        return
    golden.begin("prometheus")
    with golden.replayed("prometheus") as client:
        yield RealPrometheus(client, recorded=True)


class _running:  # noqa: N801 (a context manager)
    def __init__(self, binary: str, directory: Path) -> None:
        (directory / "prometheus.yml").write_text("global: {}\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._command = [
            binary,
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            "--storage.tsdb.retention.time=100y",  # the samples are old
            f"--web.listen-address={address}",
            "--web.enable-remote-write-receiver",
            "--log.level=error",
        ]
        self._url = f"http://{address}"

    def __enter__(self) -> str:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self._url}/-/ready", trust_env=False).status_code == 200:
                    return self._url
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        self.__exit__()
        pytest.skip("prometheus did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)


@pytest.fixture(scope="session")
def memory_source() -> type[MemorySource]:
    return MemorySource
