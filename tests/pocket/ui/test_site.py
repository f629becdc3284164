"""Port 3000: Grafana's paths, the proxy paths, headers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from pocket.config import Settings
from pocket.ui import app

STATIC = Path(__file__).parents[3] / "stack" / "pocket" / "ui" / "static"


async def _echo(request: Request) -> JSONResponse:
    return JSONResponse({"path": request.url.path, "query": str(request.url.query)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "dashboards"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"uid": "dice", "title": "Dice", "tags": ["x"], "panels": []}))
    (folder / "broken.json").write_text("{")
    (folder / "list.json").write_text("[]")
    return folder


@pytest.fixture
def client(tmp_path: Path, folder: Path) -> httpx.AsyncClient:
    settings = Settings(data_dir=tmp_path / "run" / "pocket", dashboards=(folder,), stage=1)
    prometheus = Starlette(routes=[Route("/api/v1/query", _echo), Route("/deep/{rest:path}", _echo)])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app(settings, {"prometheus": prometheus})), base_url="http://localhost:3000"
    )


async def test_search_lists_what_can_be_read_and_leaves_out_what_cannot(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/search?type=dash-db")).json() == [
        {"id": 1, "uid": "dice", "title": "Dice", "url": "/d/dice", "type": "dash-db", "tags": ["x"]}
    ]


async def test_a_dashboard_by_uid_is_in_grafanas_envelope(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/dashboards/uid/dice")).json()["dashboard"]["title"] == "Dice"
    missing = await client.get("/api/dashboards/uid/none")
    assert (missing.status_code, missing.json()) == (404, {"message": "Dashboard not found"})


async def test_an_edited_dashboard_shows_at_the_next_request(client: httpx.AsyncClient, folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"uid": "dice", "title": "Other"}))
    assert (await client.get("/api/dashboards/uid/dice")).json()["dashboard"]["title"] == "Other"


async def test_the_proxy_path_reaches_the_api_as_if_it_were_asked_directly(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/datasources/proxy/uid/prometheus/api/v1/query?query=up%7Ba%3D%22b%22%7D")
    assert answer.json()["query"] == "query=up%7Ba%3D%22b%22%7D"


async def test_only_configured_data_sources_are_proxied(client: httpx.AsyncClient) -> None:
    for uid in ("loki", "postgres", "http:%2F%2Fexample.com", "..%2F"):
        assert (await client.get(f"/api/datasources/proxy/uid/{uid}/ready")).status_code == 404
    assert [one["uid"] for one in (await client.get("/api/datasources")).json()] == ["prometheus"]


async def test_sql_is_answered_404_where_there_is_no_postgres(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/ds/query", json={})
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})


@pytest.mark.parametrize("path", ["/", "/js/main.js", "/plotly.min.js", "/api/search", "/api/nothing", "/nothing"])
async def test_every_answer_carries_the_policy(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"


async def test_the_pages_and_plotly_are_served(client: httpx.AsyncClient) -> None:
    assert "<main" in (await client.get("/")).text
    plotly = await client.get("/plotly.min.js")
    assert plotly.headers["content-type"].startswith("text/javascript")
    assert "plotly.js" in plotly.text[:200]
    again = await client.get("/plotly.min.js", headers={"if-none-match": plotly.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_no_path_leaves_the_static_folder(client: httpx.AsyncClient) -> None:
    for path in ("/..%2fsite.py", "/js/..%2f..%2fsite.py", "/%2e%2e/site.py"):
        assert (await client.get(path)).status_code == 404


async def test_a_trace_link_leads_to_the_view(client: httpx.AsyncClient) -> None:
    answer = await client.get("/trace/ABCdef0123", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/#/trace/abcdef0123")
    assert (await client.get("/trace/javascript:alert(1)", follow_redirects=False)).status_code == 400


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("/d/dice-roller-stage1", "/#/d/dice-roller-stage1"),
        ("/d/dice-roller-stage1/title?from=now-15m&to=now", "/#/d/dice-roller-stage1?from=now-15m&to=now"),
    ],
)
async def test_grafanas_link_to_a_dashboard_leads_to_the_view(
    client: httpx.AsyncClient, path: str, view: str
) -> None:
    answer = await client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, view)
    assert (await client.get("/d/no:uid", follow_redirects=False)).status_code == 400


async def test_health_is_grafanas(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/health")).json()["database"] == "ok"


async def test_a_redirect_of_an_api_is_passed_on(tmp_path: Path) -> None:
    async def away(_: Request) -> RedirectResponse:
        return RedirectResponse("/ready")

    apis = {"loki": Starlette(routes=[Route("/old", away)])}
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app(Settings(data_dir=tmp_path), apis)), base_url="http://localhost:3000"
    )
    assert (await client.get("/api/datasources/proxy/uid/loki/old", follow_redirects=False)).status_code == 307


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.*")), ids=lambda path: path.name)
def test_no_file_of_the_ui_loads_anything_from_elsewhere_or_makes_markup_of_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    allowed = ("http://www.w3.org/2000/svg",)
    for url in allowed:
        text = text.replace(url, "")
    assert "http://" not in text
    assert "https://" not in text.replace("https?://", "")
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert sink not in text


def test_every_module_stays_small() -> None:
    long = {path.name: n for path in STATIC.rglob("*.js") if (n := len(path.read_text().splitlines())) > 250}
    assert long == {}
