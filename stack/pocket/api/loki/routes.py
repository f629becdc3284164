"""Every address that Loki answers, and `/ready`."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from pocket.api import answers
from pocket.api.endpoint import Endpoints, build, fixed, text
from pocket.api.loki import detected, evaluate, labels, volume
from pocket.api.loki.dialect import DIALECT
from pocket.api.loki.tail import Tails
from pocket.api.queries import Queries
from pocket.config import Settings
from pocket.store import Store

PREFIX = "/loki/api/v1"
VERSION = "3.7.6-pocket"


def app(store: Store, settings: Settings, queries: Queries | None = None) -> Starlette:
    """The query endpoints of `store`."""
    endpoints = Endpoints(store, queries or Queries(settings), DIALECT)
    tails = Tails(store.logs, endpoints.queries)
    route = partial(endpoints.route, methods=("GET", "POST"))

    async def tail(socket: WebSocket) -> None:
        await tails.follow(socket)

    return Starlette(
        routes=[
            route(f"{PREFIX}/query_range", evaluate.query_range),
            route(f"{PREFIX}/query", evaluate.query),
            route(f"{PREFIX}/index/volume", volume.volume),
            route(f"{PREFIX}/detected_fields", detected.fields),
            route(f"{PREFIX}/detected_field/{{name}}/values", detected.field_values),
            route(f"{PREFIX}/labels", labels.labels, lookup=True),
            route(f"{PREFIX}/label", labels.labels, lookup=True),
            route(f"{PREFIX}/label/{{name}}/values", labels.values, lookup=True),
            route(f"{PREFIX}/series", labels.series, lookup=True),
            route(f"{PREFIX}/index/stats", volume.stats, lookup=True),
            route(f"{PREFIX}/detected_labels", detected.labels, lookup=True),
            Route(
                f"{PREFIX}/status/buildinfo", fixed(lambda: answers.json(build(VERSION))), methods=["GET", "POST"]
            ),
            WebSocketRoute(f"{PREFIX}/tail", tail),
            text("/ready", "ready\n"),
            text("/{path:path}", "404 page not found\n", 404),
        ]
    )
