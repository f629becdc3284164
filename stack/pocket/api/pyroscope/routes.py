"""Every address that the querier answers, and `/ready`."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette

from pocket.api.endpoint import Dialect, Endpoints, text
from pocket.api.pyroscope import connect, labels, profiles, render
from pocket.api.queries import Queries
from pocket.config import Settings
from pocket.store import Store

SERVICE = "/querier.v1.QuerierService"


def app(store: Store, settings: Settings, queries: Queries | None = None) -> Starlette:
    """The querier of `store`."""
    shared = queries or Queries(settings)
    route = partial(Endpoints(store, shared, connect.DIALECT).route, methods=("POST",))
    plain = Endpoints(store, shared, Dialect(connect.STOPPED))
    return Starlette(
        routes=[
            route(f"{SERVICE}/SelectSeries", profiles.select_series),
            route(f"{SERVICE}/SelectMergeStacktraces", profiles.select_merge_stacktraces),
            route(f"{SERVICE}/SelectMergeSpanProfile", profiles.select_merge_span_profile),
            route(f"{SERVICE}/ProfileTypes", labels.profile_types, lookup=True),
            route(f"{SERVICE}/LabelNames", labels.names, lookup=True),
            route(f"{SERVICE}/LabelValues", labels.values, lookup=True),
            route(f"{SERVICE}/Series", labels.series, lookup=True),
            plain.route("/pyroscope/render", render.flamebearer),
            text("/ready", "ready\n"),
            text("/{path:path}", "404 page not found\n", 404, methods=("GET", "POST")),
        ]
    )
