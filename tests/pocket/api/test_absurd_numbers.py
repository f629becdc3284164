"""Numbers beyond all reason: a 4xx from every API, and soon, for Python reads no more than 4300 digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from pocket.api import loki, prometheus, pyroscope, tempo
from pocket.config import Settings
from pocket.query.durations import go_duration_ns
from pocket.query.logql.literals import size_bytes
from pocket.store import Store

DIGITS = "9" * 5000
RANGE = {"start": "0", "end": "60", "step": "15"}
STREAMS = {"query": '{a="b"}'}
APPS: dict[str, Callable[[Store, Settings], ASGIApp]] = {
    "loki": loki.app,
    "prometheus": prometheus.app,
    "pyroscope": pyroscope.app,
    "tempo": tempo.app,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = Store(settings)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("api", "path", "parameters"),
    [
        ("loki", "/loki/api/v1/query_range", STREAMS | {"limit": DIGITS}),
        ("loki", "/loki/api/v1/query_range", STREAMS | {"limit": "-" + DIGITS}),
        ("loki", "/loki/api/v1/query_range", STREAMS | {"start": DIGITS}),
        ("loki", "/loki/api/v1/query_range", STREAMS | {"end": "9999-12-31T23:59:59Z"}),
        ("loki", "/loki/api/v1/query_range", {"query": f'{{a="b"}} | x > {DIGITS}s'}),
        ("loki", "/loki/api/v1/query_range", {"query": f'{{a="b"}} | x > {DIGITS}KB'}),
        ("loki", "/loki/api/v1/query", {"query": 'rate({a="b"}[1m])', "time": DIGITS}),
        ("tempo", "/api/search", {"q": "{}", "limit": DIGITS}),
        ("tempo", "/api/search", {"q": "{}", "minDuration": DIGITS}),
        ("tempo", "/api/search", {"q": "{}", "minDuration": DIGITS + "s"}),
        ("prometheus", "/api/v1/query_range", {"query": "up", **RANGE, "step": DIGITS + "s"}),
        ("prometheus", "/api/v1/query", {"query": "up", "timeout": f"1h{DIGITS}m"}),
    ],
)
async def test_a_4xx(store: Store, settings: Settings, api: str, path: str, parameters: dict[str, str]) -> None:
    app: ASGIApp = APPS[api](store, settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        assert (await client.get(path, params=parameters)).status_code == 400


@pytest.mark.parametrize("step", ['"NaN"', '"Infinity"', "0", "-1"])
async def test_a_step_that_is_no_length_of_time(store: Store, settings: Settings, step: str) -> None:
    body = f'{{"start": 1, "end": 2, "profile_typeID": "a:b:c:d:e", "label_selector": "{{}}", "step": {step}}}'
    transport = httpx.ASGITransport(pyroscope.app(store, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        path, kind = "/querier.v1.QuerierService/SelectSeries", {"content-type": "application/json"}
        assert (await client.post(path, content=body, headers=kind)).status_code == 400


@pytest.mark.parametrize("read", [go_duration_ns, size_bytes])
@pytest.mark.parametrize("text", [DIGITS + "h", DIGITS + "eb", DIGITS, DIGITS + ".5.5", "1.5" * 2000])
def test_a_field_of_a_line_may_be_anything(read: object, text: str) -> None:
    """Digits once matched in many ways: a field of 5000 of them took hours, with the whole process at a stand."""
    with pytest.raises(ValueError, match=r".+"):
        read(text)  # type: ignore[operator]
