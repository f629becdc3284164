"""Every address that Tempo answers, with `/api/echo` and `/ready`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from pocket.api import answers
from pocket.api.endpoint import Endpoints, build, fixed, text
from pocket.api.queries import Queries
from pocket.api.tempo import metrics, search, tags, traces
from pocket.api.tempo.dialect import DIALECT
from pocket.config import Settings
from pocket.store import Store

VERSION = "3.0.3-pocket"


def app(store: Store, settings: Settings, queries: Queries | None = None) -> Starlette:
    """The query endpoints of `store`."""
    route = Endpoints(store, queries or Queries(settings), DIALECT).route
    return Starlette(
        routes=[
            route("/api/search", search.search),
            route("/api/metrics/query_range", metrics.query_range),
            route("/api/metrics/query", metrics.query),
            route("/api/traces/{id}", traces.trace_v1, lookup=True),
            route("/api/v2/traces/{id}", traces.trace_v2, lookup=True),
            route("/api/search/tags", tags.names_v1, lookup=True),
            route("/api/v2/search/tags", tags.names_v2, lookup=True),
            route("/api/search/tag/{tag:path}/values", tags.values_v1, lookup=True),
            route("/api/v2/search/tag/{tag:path}/values", tags.values_v2, lookup=True),
            Route("/api/status/buildinfo", fixed(lambda: answers.json(build(VERSION)))),
            text("/api/echo", "echo\n"),
            text("/ready", "ready\n"),
            text("/{path:path}", "404 page not found\n", 404),
        ]
    )
