"""Stage 6 as a learner runs it: what rolling at once is worth, and how long its dashboard's queries take."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from bench.first_trace import stage
from bench.pocket import OFFSET, url
from bench.processes import ROOT, await_http
from workshop.check import dashboards
from workshop.check.apis import Apis
from workshop.check.outcome import Check, NotYetError

STAGE, TIMES, BATCHES, TRAFFIC_SECONDS = 6, 20, 5, 15
DASHBOARDS = ROOT / f"stage{STAGE}/grafana-dashboards"


@dataclass(frozen=True)
class Figures:
    """Seconds: batches over their slowest roll (both from spans), batches, as many rolls in a row; each panel."""

    over_slowest: float
    at_once: float
    in_a_row: float
    panels: list[float]
    without_data: int


def batch_over_slowest(trace: dict[str, Any]) -> float:
    """OTLP/JSON of a /roll-async trace → time of its task group's server span ÷ that of its slowest `roll die`."""
    spans = list(_spans(trace))
    batch = max(_seconds(span) for span in spans if span["name"] == "GET /roll-async")
    return batch / max(_seconds(span) for span in spans if span["name"] == "roll die")


def _spans(trace: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in trace["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def _seconds(span: dict[str, Any]) -> float:
    return (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e9


def _get(path: str, trace_id: str = "") -> float:
    """Seconds of a request to the roller."""
    headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"} if trace_id else {}
    began = time.perf_counter()
    httpx.get(url(8001, path), headers=headers, timeout=60).raise_for_status()
    return time.perf_counter() - began


async def _trace(apis: Apis, trace_id: str) -> dict[str, Any]:
    """The trace once all its rolls are there."""
    for _ in range(100):
        found = await apis.trace(trace_id)
        names = [span["name"] for span in _spans(found)] if found else []
        if found and names.count("roll die") == TIMES and "GET /roll-async" in names:
            return found
        await asyncio.sleep(0.1)
    raise TimeoutError(f"trace {trace_id} did not become complete")


async def _panels(checks: Sequence[Check]) -> tuple[list[float], int]:
    """Seconds of each panel's queries, one panel after the other, and how many found nothing."""
    seconds, empty = [], 0
    for check in checks:
        began = time.perf_counter()
        try:
            await check.ask()
        except NotYetError:
            empty += 1
        seconds.append(time.perf_counter() - began)
    return seconds, empty


def _traffic() -> None:
    flags = ["--port-offset", str(OFFSET), "--duration-seconds", str(TRAFFIC_SECONDS), "--max-rolls-per-user", "0"]
    command = [sys.executable, "-m", "workshop", "traffic", str(STAGE), *flags]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=TRAFFIC_SECONDS + 60)


async def _measured() -> Figures:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        apis = Apis(client, OFFSET, stage=STAGE)
        ids = [secrets.token_hex(16) for _ in range(BATCHES)]
        at_once = statistics.median(_get(f"/roll-async?die=fair&times={TIMES}", i) for i in ids)
        in_a_row = sum(_get("/roll?die=fair") for _ in range(TIMES))
        ratios = [batch_over_slowest(await _trace(apis, i)) for i in ids]
        panels = [c for c in dashboards.checks(DASHBOARDS, apis) if c.id.startswith("panel:")]
        seconds, empty = await _panels(panels)
        return Figures(statistics.median(ratios), at_once, in_a_row, seconds, empty)


def measure_stage() -> Figures:
    with stage(STAGE):
        await_http(url(8501, "/healthz"), 60)
        _traffic()
        return asyncio.run(_measured())
