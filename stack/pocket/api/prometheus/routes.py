"""Everything that Prometheus answers to Grafana but `/metrics`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pocket.api.endpoint import Endpoints
from pocket.api.form import read_form
from pocket.api.prometheus import evaluate, labels
from pocket.api.prometheus.dialect import DIALECT, success
from pocket.api.prometheus.status import evaluation_interval_ms, status_routes
from pocket.api.prometheus.targets import Targets, describe
from pocket.api.queries import Queries
from pocket.config import Settings
from pocket.query.promql import Limits
from pocket.store import Store


def app(
    store: Store, settings: Settings, targets: Targets | None = None, queries: Queries | None = None
) -> Starlette:
    """`targets` gives the scraper's."""
    endpoints = Endpoints(store, queries or Queries(settings), DIALECT)
    limits = Limits(subquery_step_ms=evaluation_interval_ms(settings), timeout_seconds=settings.query_seconds)
    route = partial(endpoints.route, methods=("GET", "POST"))
    return Starlette(
        routes=[
            route("/api/v1/query", partial(evaluate.query, limits)),
            route("/api/v1/query_range", partial(evaluate.query_range, limits)),
            route("/api/v1/query_exemplars", evaluate.query_exemplars),
            route("/api/v1/format_query", evaluate.format_query, lookup=True),
            route("/api/v1/labels", labels.labels, lookup=True),
            route("/api/v1/series", labels.series, lookup=True),
            endpoints.route("/api/v1/label/{name}/values", labels.values, lookup=True),
            endpoints.route("/api/v1/metadata", labels.metadata, lookup=True),
            Route("/api/v1/targets", _targets(targets)),
            *status_routes(settings),
        ]
    )


def _targets(targets: Targets | None) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        """In the event loop, where the scraper changes its targets."""
        form = await read_form(request)
        known = targets() if targets else []
        return success(describe(known, form.get("scrapePool"), form.get("state").lower()))

    return endpoint
