"""What every panel's queries answer, as series without values: to hold two stacks against each other.

`python -m tests.stack.panels --offset 700` prints, for the stage that runs under Docker and, shifted by the
offset, without it, a line a query: the number of series on either side, and which only one side has.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from workshop.check.apis import Apis
from workshop.check.dashboards import expand
from workshop.paths import run_paths
from workshop.plan import GRAFANA_PASSWORD
from workshop.psql import passwords_in_force

ROOT = Path(__file__).parents[2]
POSTGRES_PORT = 15432
STEP_SECONDS = 15
# Different in every run: what matters is that the label is there.
UNBOUNDED = {"trace_id", "span_id", "instance"}
STATUS = {"status", "status_code"}
EDGE_FAMILY = '{__name__=~"traces_service_graph_request_(total|failed_total|(server|client)_seconds_count)"}'

Series = frozenset[str]


@dataclass(frozen=True)
class Query:
    """One target of one panel."""

    panel: str
    kind: str  # of the data source
    target: dict[str, Any]

    @property
    def text(self) -> str:
        own = (self.target.get(key) for key in ("expr", "query", "labelSelector", "rawSql"))
        return expand(next(filter(None, own), "service map"))

    def __str__(self) -> str:
        return f"{self.panel}: {self.text}"


def queries(stage: int) -> list[Query]:
    """All targets of the stage's dashboard, panels inside collapsed rows too."""
    (file,) = (ROOT / f"stage{stage}" / "grafana-dashboards").glob("*.json")
    panels = json.loads(file.read_text(encoding="utf-8"))["panels"]
    return [
        Query(panel["title"], (target.get("datasource") or panel["datasource"])["type"], target)
        for panel in _flat(panels)
        for target in panel.get("targets", [])
    ]


def _flat(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _flat(panel.get("panels", []))


async def series(query: Query, apis: Apis) -> Series:
    """The answer's series (streams, kinds of trace, edges, frames, columns), each as one string."""
    return frozenset(await ASK[query.kind](query, apis))


async def _prometheus(query: Query, apis: Apis) -> list[str]:
    if query.target.get("instant"):
        found = await apis.prometheus(query.text)
    else:
        found = await apis.prometheus_range(query.text, STEP_SECONDS)
    return [labels(one["metric"]) for one in found]


async def _loki(query: Query, apis: Apis) -> list[str]:
    found = await apis.loki(query.text, limit=5000, step=STEP_SECONDS)
    return [labels(one.get("metric") or one["stream"]) for one in found]


async def _tempo(query: Query, apis: Apis) -> list[str]:
    if query.target.get("queryType") == "serviceMap":
        return [labels(one["metric"]) for one in await apis.prometheus(EDGE_FAMILY)]
    found = await apis.traceql(query.text, limit=1000)
    return [f"from {one.get('rootServiceName')}: {_attributes(one)}" for one in found]


def _attributes(trace: dict[str, Any]) -> str:
    """What a found trace shows of its matching spans, whichever they are."""
    spans = [span for spans in trace.get("spanSets", []) for span in spans["spans"]]
    return " ".join(sorted({attribute["key"] for span in spans for attribute in span.get("attributes", [])}))


async def _pyroscope(query: Query, apis: Apis) -> list[str]:
    """The root of the flame graph: which functions were caught is chance."""
    profile = {"profileTypeID": query.target["profileTypeId"], "labelSelector": query.text}
    merged = await apis.pyroscope("SelectMergeStacktraces", **profile)
    names: list[str] = merged.get("flamegraph", {}).get("names", [])
    return names[:1]


async def _sql(query: Query, apis: Apis) -> list[str]:
    """Columns: Grafana, which would ask, may not be there, the database is."""
    password = passwords_in_force(run_paths(ROOT, apis.offset, None)).get(GRAFANA_PASSWORD, "grafana")
    where = {"host": "127.0.0.1", "port": POSTGRES_PORT + apis.offset, "database": "dice"}
    connection = await asyncpg.connect(**where, user="grafana", password=password, timeout=5)
    try:
        rows = await connection.fetch(query.text)
    finally:
        await connection.close()
    return [f"{name} {type(value).__name__}" for name, value in (rows[0].items() if rows else ())]


ASK: dict[str, Callable[[Query, Apis], Awaitable[list[str]]]] = {
    "prometheus": _prometheus,
    "loki": _loki,
    "tempo": _tempo,
    "grafana-pyroscope-datasource": _pyroscope,
    "grafana-postgresql-datasource": _sql,
}


def labels(metric: dict[str, str]) -> str:
    """A label set as Prometheus writes it, without what differs from run to run."""
    shown = {name: "*" if name in UNBOUNDED else value for name, value in metric.items()}
    for name in STATUS & metric.keys():  # which error it is, is chance
        shown[name] = re.sub(r"^5\d\d$", "5xx", metric[name])
    return "{" + ", ".join(f'{name}="{shown[name]}"' for name in sorted(shown)) + "}"


@dataclass(frozen=True)
class Comparison:
    query: Query
    full: Series
    pocket: Series

    @property
    def only_full(self) -> Series:
        return self.full - self.pocket

    @property
    def only_pocket(self) -> Series:
        return self.pocket - self.full


async def compare(stage: int, offset: int, window: int = 300) -> list[Comparison]:
    """Each query of the stage's dashboard, to the full stack and to the pocket stack at `offset`."""
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        full, pocket = Apis(client, 0, window), Apis(client, offset, window)
        return [
            Comparison(query, *await asyncio.gather(series(query, full), series(query, pocket)))
            for query in queries(stage)
        ]


async def running_stage(offset: int) -> int:
    """The stage the roller at this offset is of; httpx.HTTPError when none answers."""
    async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
        answer = (await client.get(f"http://127.0.0.1:{8001 + offset}/")).json()
    return int(re.sub(r"\D", "", str(answer["stage"])))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offset", type=int, required=True)
    parser.add_argument("--window", type=int, default=300, help="seconds to look back")
    options = parser.parse_args()
    stage = asyncio.run(running_stage(0))
    print(f"## Stage {stage}\n\n| query | full | pocket | only full | only pocket |\n|---|---|---|---|---|")
    for one in asyncio.run(compare(stage, options.offset, options.window)):
        apart = [" ".join(f"`{each}`" for each in sorted(side)[:8]) for side in (one.only_full, one.only_pocket)]
        text = str(one.query).replace("|", "\\|").replace("\n", " ")
        print(f"| {text} | {len(one.full)} | {len(one.pocket)} | {apart[0]} | {apart[1]} |")
