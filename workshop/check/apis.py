"""The query APIs of Prometheus, Loki, Tempo, Pyroscope, Grafana, and the services, by port + offset."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from pocket.addresses import LOOPBACK, PORTS, url
from workshop.check.outcome import NotYetError
from workshop.paths import program

SERVER_SECONDS = 10.0


@dataclass(frozen=True)
class Apis:
    client: httpx.AsyncClient
    offset: int
    window: int = 300  # seconds that queries look back
    stage: int = 1
    flags: str = ""  # what `workshop` needs to mean the run that is asked

    def url(self, component: str) -> str:
        return url(component, self.offset)

    def port(self, component: str) -> int:
        return PORTS[component] + self.offset

    def service_url(self, port: int) -> str:
        """Of a service, by the port that its compose file has."""
        return f"http://{LOOPBACK}:{port + self.offset}"

    def command(self, verb: str, what: str | int = "") -> str:
        """For a hint: the command about this very run."""
        return f"{program()} {verb} {what or self.stage}{self.flags}"

    async def get(self, component: str, path: str, **parameters: Any) -> Any:
        """The JSON of an answer; NotYetError with the component's own words when it is no 2xx."""
        response = await self.client.get(self.url(component) + path, params=parameters)
        return _json(response, component)

    async def prometheus(self, expr: str) -> list[dict[str, Any]]:
        """An instant vector, now."""
        answer = await self.get("prometheus", "/api/v1/query", query=expr)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    async def prometheus_range(self, expr: str, step: int) -> list[dict[str, Any]]:
        """A matrix over the window, a point every `step` seconds."""
        now = time.time()
        window = {"start": now - self.window, "end": now, "step": step}
        answer = await self.get("prometheus", "/api/v1/query_range", query=expr, **window)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    async def loki(
        self, query: str, limit: int = 100, step: int = 5, between: tuple[int, int] | None = None
    ) -> list[dict[str, Any]]:
        """Streams of a log query, or the matrix of a metric query, over the window or between two times in ns."""
        now = time.time_ns()
        start, end = between or (now - self.window * 10**9, now + 10**9)
        window = {"start": start, "end": end, "limit": limit, "step": f"{step}s"}
        answer = await self.get("loki", "/loki/api/v1/query_range", query=query, **window)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    async def traceql(self, query: str, limit: int = 20) -> list[dict[str, Any]]:
        """Hits of a search over the window."""
        now = int(time.time())
        answer = await self.get("tempo", "/api/search", q=query, limit=limit, start=now - self.window, end=now + 5)
        traces: list[dict[str, Any]] = answer.get("traces") or []
        return traces

    async def trace(self, trace_id: str) -> dict[str, Any] | None:
        """OTLP/JSON of a trace as Tempo gives it (`{"resourceSpans": …}`); None when it has none of this id."""
        response = await self.client.get(f"{self.url('tempo')}/api/v2/traces/{trace_id}", headers=JSON)
        if response.status_code == 404:
            return None
        trace: dict[str, Any] = _json(response, "tempo").get("trace") or {}
        return trace if trace.get("resourceSpans") else None

    async def pyroscope(self, method: str, **body: Any) -> dict[str, Any]:
        """A querier method, Connect's JSON form."""
        now = int(time.time() * 1000)
        body = {"start": now - self.window * 1000, "end": now, **body}
        url = f"{self.url('pyroscope')}/querier.v1.QuerierService/{method}"
        answer: dict[str, Any] = _json(await self.client.post(url, json=body), "pyroscope")
        return answer


JSON = {"Accept": "application/json"}


def _json(response: httpx.Response, component: str) -> Any:
    if not response.is_success:
        raise NotYetError(f"{component} answers {response.status_code}: {' '.join(response.text.split())[:160]}")
    return response.json()
