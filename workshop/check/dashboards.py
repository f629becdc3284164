"""Every query of every panel of the stage's dashboards returns data; the UI has the dashboards."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from workshop.check import profiles
from workshop.check.apis import Apis
from workshop.check.outcome import Check, NotYetError, SkipError

GROUP = "Dashboard"
DATABASE, SQL_SOURCE = "postgres", "grafana-postgresql-datasource"
STEP = 15  # seconds
MACROS = {"$__rate_interval": "20s", "$__interval": f"{STEP}s", "$__range_s": "300", "$__range": "300s"}
EDGES = "sum by (client, server) (traces_service_graph_request_total)"


def checks(folder: Path, apis: Apis) -> list[Check]:
    """One check for each panel with queries, and one for each dashboard's presence in the UI or Grafana."""
    found: list[Check] = []
    for file in sorted(folder.glob("*.json")):
        dashboard = json.loads(file.read_text(encoding="utf-8"))
        found.append(_provisioned(dashboard, apis))
        found += [_panel(dashboard["uid"], panel, apis) for panel in _panels(dashboard["panels"])]
    return found


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Panels with queries, those inside collapsed rows too."""
    for panel in panels:
        yield from _panels(panel.get("panels", []))
        if panel.get("targets"):
            yield panel


def _provisioned(dashboard: dict[str, Any], apis: Apis) -> Check:
    async def ask() -> str:
        try:
            listed = await apis.get("grafana", "/api/search", type="dash-db")
        except (NotYetError, httpx.ConnectError) as reason:
            await _excuse(apis, str(reason))
            raise
        if dashboard["uid"] not in {entry["uid"] for entry in listed}:
            raise NotYetError(f"{dashboard['uid']} is not among {len(listed)} dashboards")
        return str(dashboard["title"])

    hint = f"curl -s '{apis.url('grafana')}/api/search?type=dash-db'"
    return Check(f"dashboard:{dashboard['uid']}", GROUP, "the UI has the stage's dashboard", hint, ask)


async def _excuse(apis: Apis, reason: str) -> None:
    """SkipError where a Grafana may be missing: before the full stack. The pocket stack, which scrapes itself, has
    the UI in the same process, so there it is a fault."""
    if not await apis.prometheus('up{job="pocket"}'):
        raise SkipError(f"no Grafana here: {reason}")


def _panel(uid: str, panel: dict[str, Any], apis: Apis) -> Check:
    async def ask() -> str:
        counts = [await _target(target, panel, apis) for target in panel["targets"]]
        return f"{sum(counts)} series"

    hint = f"open {apis.url('grafana')}/d/{uid} and look at the panel; it needs traffic: {apis.command('traffic')}"
    needs = (DATABASE,) if any(_source(target, panel) == SQL_SOURCE for target in panel["targets"]) else ()
    title = f"panel “{panel['title']}” has data"
    return Check(f"panel:{uid}:{panel['id']}", GROUP, title, hint, ask, needs=needs)


def _source(target: dict[str, Any], panel: dict[str, Any]) -> str:
    """The type of the data source that the query is for."""
    return str((target.get("datasource") or panel.get("datasource") or {}).get("type", ""))


async def _target(target: dict[str, Any], panel: dict[str, Any], apis: Apis) -> int:
    """How many series (or traces, streams, edges) the query returns; NotYetError when none holds a number."""
    kind = _source(target, panel)
    if kind not in COUNTS:
        raise NotYetError(f"unknown data source type {kind!r}")
    found = await COUNTS[kind](target, apis)
    if not found:
        query = target.get("expr") or target.get("query") or target.get("rawSql", "")
        raise NotYetError(f"no data for {expand(query)}")
    return found


def expand(query: str) -> str:
    """Grafana's macros, for a window of five minutes."""
    for name, value in MACROS.items():  # the longer of two names that begin alike comes first
        query = query.replace(name, value)
    return query


async def _prometheus(target: dict[str, Any], apis: Apis) -> int:
    expr = expand(target["expr"])
    if target.get("instant"):
        values = [[series["value"]] for series in await apis.prometheus(expr)]
    else:
        values = [series["values"] for series in await apis.prometheus_range(expr, STEP)]
    return sum(any(not math.isnan(float(value)) for _, value in series) for series in values)


async def _loki(target: dict[str, Any], apis: Apis) -> int:
    return len(await apis.loki(expand(target["expr"]), step=STEP))


async def _tempo(target: dict[str, Any], apis: Apis) -> int:
    if target.get("queryType") == "serviceMap":
        return len(await apis.prometheus(EDGES))
    return len(await apis.traceql(expand(target["query"]), limit=int(target.get("limit", 20))))


async def _pyroscope(target: dict[str, Any], apis: Apis) -> int:
    await profiles.total(target["profileTypeId"], expand(target["labelSelector"]), apis)
    return 1


async def _sql(target: dict[str, Any], apis: Apis) -> int:
    """Rows of an SQL panel, through Grafana's query endpoint, which the pocket UI has too."""
    source = {"type": SQL_SOURCE, "uid": DATABASE}
    query = {**target, "datasource": source, "refId": target.get("refId", "A")}
    response = await _ask_in_sql(query, apis)
    result = response.json().get("results", {}).get(query["refId"], {})
    if not response.is_success or result.get("error"):
        raise NotYetError(f"SQL: {result.get('error') or response.status_code}")
    columns = [frame["data"]["values"] for frame in result.get("frames", ())]
    return sum(len(values[0]) for values in columns if values)


async def _ask_in_sql(query: dict[str, Any], apis: Apis) -> httpx.Response:
    """The answer, which is JSON. SkipError where nobody may be there to give one."""
    body = {"from": f"now-{apis.window}s", "to": "now", "queries": [query]}
    try:
        response = await apis.client.post(f"{apis.url('grafana')}/api/ds/query", json=body)
        if "json" not in response.headers.get("content-type", ""):
            raise NotYetError(f"SQL: {response.status_code} {response.text[:80]}")
    except (NotYetError, httpx.ConnectError) as reason:
        await _excuse(apis, str(reason))
        raise
    return response


COUNTS: dict[str, Callable[[dict[str, Any], Apis], Awaitable[int]]] = {
    "prometheus": _prometheus,
    "loki": _loki,
    "tempo": _tempo,
    "grafana-pyroscope-datasource": _pyroscope,
    SQL_SOURCE: _sql,
}
