"""Prometheus: every target up, the metrics stored, an exemplar that leads to a trace, the service graph."""

from __future__ import annotations

import time
from typing import Any

from workshop.check.apis import Apis
from workshop.check.manifest import ServiceSignals, Stage
from workshop.check.outcome import Check, NotYetError

GROUP = "Metrics"
NEWEST_EXEMPLARS = 5  # any of them may belong to a trace that is not stored yet


def checks(stage: Stage, apis: Apis) -> list[Check]:
    exemplars = [_exemplar(service, apis) for service in stage.services if service.exemplars]
    edges = [_edge(stage, client, server, apis) for client, server in stage.edges]
    stored = [_stored(stage, metric, job, apis) for metric, job in stage.exporter_metrics.items()]
    return [_targets(stage, apis), *stored, *exemplars, *edges, _span_metrics(stage, apis)]


def _targets(stage: Stage, apis: Apis) -> Check:
    async def ask() -> str:
        answer = await apis.get("prometheus", "/api/v1/targets", state="active")
        active = answer["data"]["activeTargets"]
        up = {target["labels"]["job"] for target in active if target["health"] == "up"}
        if down := [target for target in active if target["health"] != "up"]:
            raise NotYetError(f"{down[0]['scrapeUrl']} is {down[0]['health']}: {down[0].get('lastError', '')}")
        if missing := [job for job in stage.jobs if job not in up]:
            raise NotYetError(f"no target for {', '.join(missing)}")
        return f"{len(active)} up"

    hint = f"curl -s {apis.url('prometheus')}/api/v1/targets, and look at lastError"
    return Check("targets", GROUP, "every scrape target is up", hint, ask, needs=stage.compose(*stage.jobs))


def _stored(stage: Stage, metric: str, job: str, apis: Apis) -> Check:
    expr = f'{metric}{{job="{job}"}}'

    async def ask() -> str:
        result = await apis.prometheus(expr)
        if not result:
            raise NotYetError("no series")
        return f"{len(result)} series"

    hint = f"curl -s '{apis.url('prometheus')}/api/v1/query' --data-urlencode 'query={expr}'"
    return Check(f"stored:{metric}", GROUP, f"{metric} of {job} is stored", hint, ask, needs=stage.compose(job))


def _exemplar(service: ServiceSignals, apis: Apis) -> Check:
    selector = f'{service.exemplars}{{job="{service.name}"}}'

    async def ask() -> str:
        exemplars = await _newest_exemplars(selector, apis)
        if not exemplars:
            raise NotYetError(f"no exemplar on {selector}")
        for exemplar in exemplars:
            trace_id = exemplar["labels"].get("trace_id", "")
            if trace_id and await apis.trace(trace_id):
                return f"trace {trace_id}"
        raise NotYetError(f"{len(exemplars)} exemplars, but Tempo knows none of their traces")

    hint = f"open the dashboard's latency panel; or curl '{apis.url('prometheus')}/api/v1/query_exemplars?query=…'"
    return Check(
        f"exemplar:{service.name}",
        GROUP,
        f"an exemplar of {service.name} leads to a trace",
        hint,
        ask,
        needs=(service.compose,),
    )


async def _newest_exemplars(selector: str, apis: Apis) -> list[dict[str, Any]]:
    now = time.time()
    window = {"start": now - apis.window, "end": now + 5}
    answer = await apis.get("prometheus", "/api/v1/query_exemplars", query=selector, **window)
    found = [exemplar for series in answer["data"] for exemplar in series["exemplars"]]
    return sorted(found, key=lambda exemplar: float(exemplar["timestamp"]), reverse=True)[:NEWEST_EXEMPLARS]


def _edge(stage: Stage, client: str, server: str, apis: Apis) -> Check:
    expr = f'sum(traces_service_graph_request_total{{client="{client}", server="{server}"}}) > 0'

    async def ask() -> str:
        result = await apis.prometheus(expr)
        if not result:
            raise NotYetError("no such edge in traces_service_graph_request_total")
        return f"{float(result[0]['value'][1]):.0f} requests"

    hint = f"drive some traffic ({apis.command('traffic')}), wait 15 s; then look at the service map in the UI"
    return Check(
        f"edge:{client}:{server}",
        GROUP,
        f"service graph: {client} → {server}",
        hint,
        ask,
        needs=stage.compose(client, server),
    )


def _span_metrics(stage: Stage, apis: Apis) -> Check:
    expr = 'sum by (service) (traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"})'
    servers = {server for _, server in stage.edges} & {service.name for service in stage.services}

    async def ask() -> str:
        there = {series["metric"].get("service") for series in await apis.prometheus(expr)}
        if missing := servers - there:
            raise NotYetError(f"none for {', '.join(sorted(missing))}")
        return ", ".join(sorted(map(str, there)))

    hint = f"curl -s '{apis.url('prometheus')}/api/v1/query' --data-urlencode 'query={expr}'"
    return Check("span-metrics", GROUP, "span metrics of every server", hint, ask, needs=stage.compose(*servers))
