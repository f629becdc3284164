"""While the store cannot be read, every API answers 503 in its own shape, and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from pocket.api import loki, prometheus, pyroscope, tempo
from pocket.config import Settings
from pocket.rows import LogEntry, ProfileSample, Sample
from pocket.store import Store

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def of_prometheus(store: Store, settings: Settings) -> Starlette:
    return prometheus.app(store, settings, targets=list)


@pytest.mark.parametrize(
    ("app", "method", "url"),
    [
        (of_prometheus, "GET", "/api/v1/query?query=up"),
        (loki.app, "GET", "/loki/api/v1/query_range?query={a=%22b%22}"),
        (tempo.app, "GET", "/api/search?q={}"),
        (pyroscope.app, "POST", "/querier.v1.QuerierService/SelectMergeStacktraces"),
    ],
)
async def test_each_api_says_503(
    app: Callable[[Store, Settings], Starlette], method: str, url: str, tmp_path: Path
) -> None:
    settings, now = Settings(data_dir=tmp_path), int(time.time())
    profile = {"profileTypeID": CPU, "labelSelector": "{}", "start": (now - 60) * 1000, "end": (now + 60) * 1000}
    store = Store(settings)
    store.append_samples([Sample({"__name__": "up"}, now * 1000, 1)])
    store.append_logs([LogEntry({"a": "b"}, now * 10**9, "line")])
    store.append_profiles([ProfileSample(CPU, {"service_name": "a"}, now * 1000, ("main",), 1)])
    store.flush()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app(store, settings)), base_url="http://x"
    ) as client:
        body = profile if method == "POST" else None
        assert (await client.request(method, url, json=body)).status_code == 200
        store._database._connection.close()
        refused = await client.request(method, url, json=body)
        assert refused.status_code == 503
        assert "pocket.duckdb is closed" in refused.text
        store._database.reopen()
        assert (await client.request(method, url, json=body)).status_code == 200
    store.close()
