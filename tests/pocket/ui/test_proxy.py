"""The proxy to query APIs that live elsewhere, and the command line that uses it."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from pocket.ui import __main__ as command
from pocket.ui import proxy

PREFIX = "/api/datasources/proxy/uid/tempo"


def _client(handler: httpx.MockTransport) -> httpx.AsyncClient:
    proxied = Starlette(routes=[Mount(PREFIX, proxy.app("http://tempo:3200/", handler))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(proxied), base_url="http://localhost:3000")


def _echo(request: httpx.Request) -> httpx.Response:
    seen = {
        "method": request.method,
        "url": str(request.url),
        "headers": dict(request.headers),
        "body": request.read().decode(),
    }
    return httpx.Response(200, json=seen, headers={"set-cookie": "a=b", "x-powered-by": "x"})


async def test_method_path_query_and_body_arrive_as_they_were_sent() -> None:
    client = _client(httpx.MockTransport(_echo))
    url = f"{PREFIX}/api/v2/search/tag/span.a%252Fb/values?q=%7B%7D&a=1"
    answer = (await client.post(url, content=b"{}")).json()
    assert answer["url"] == "http://tempo:3200/api/v2/search/tag/span.a%252Fb/values?q=%7B%7D&a=1"
    assert (answer["method"], answer["body"]) == ("POST", "{}")


async def test_cookies_and_credentials_stay_on_either_side() -> None:
    client = _client(httpx.MockTransport(_echo))
    headers = {"authorization": "Bearer x", "cookie": "s=1", "x-loki-response-encoding-flags": "categorize-labels"}
    answer = await client.get(f"{PREFIX}/ready", headers=headers)
    sent = answer.json()["headers"]
    assert "authorization" not in sent
    assert "cookie" not in sent
    assert sent["x-loki-response-encoding-flags"] == "categorize-labels"
    assert "set-cookie" not in answer.headers


async def test_errors_of_the_component_are_passed_on() -> None:
    client = _client(httpx.MockTransport(lambda _: httpx.Response(400, text="invalid TraceQL query")))
    answer = await client.get(f"{PREFIX}/api/search?q=x")
    assert (answer.status_code, answer.text) == (400, "invalid TraceQL query")


async def test_a_component_that_is_down_is_named() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    answer = await _client(httpx.MockTransport(refuse)).get(f"{PREFIX}/ready")
    assert answer.status_code == 502
    assert answer.json()["message"] == "http://tempo:3200/ does not answer: connection refused"


async def test_other_methods_are_not_forwarded() -> None:
    assert (await _client(httpx.MockTransport(_echo)).delete(f"{PREFIX}/api/v1/admin")).status_code == 405


async def test_the_command_serves_all_four_data_sources(tmp_path: Path) -> None:
    options = command.arguments(["--dashboards", str(tmp_path), "--stage", "2", "--loki", "http://127.0.0.1:1"])
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(command.build(options)), base_url="http://localhost:3000"
    )
    assert [one["uid"] for one in (await client.get("/api/datasources")).json()] == [
        "prometheus",
        "loki",
        "tempo",
        "pyroscope",
    ]
    assert (await client.get("/api/workshop/checklist")).json()["stage"] == 2
    assert (await client.get("/api/datasources/proxy/uid/loki/ready")).status_code == 502
