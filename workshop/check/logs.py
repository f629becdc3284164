"""Loki: each service's lines, with trace and span ids, and those of the check's own trace."""

from __future__ import annotations

import json
from typing import Any

from workshop.check.apis import Apis
from workshop.check.manifest import ServiceSignals, Stage
from workshop.check.outcome import Check, NotYetError
from workshop.check.request import FreshTrace

GROUP = "Logs"
FIELDS = ("timestamp", "level", "logger", "message", "service")


def checks(stage: Stage, apis: Apis, request: FreshTrace, click: FreshTrace) -> list[Check]:
    return [
        *(_lines(service, apis) for service in stage.services if service.logs),
        *(_of_trace("trace", "the fresh trace", name, apis, request) for name in stage.answers),
        *(_of_trace("click", "the click's trace", name, apis, click) for name in stage.click_answers),
    ]


def _lines(service: ServiceSignals, apis: Apis) -> Check:
    query = f'{{service_name="{service.name}"}} | trace_id!=""'

    async def ask() -> str:
        streams = await apis.loki(query, limit=50)
        lines = [line for stream in streams for _, line, *_ in stream["values"]]
        if not lines:
            raise NotYetError(f"no lines for {query}")
        problems = [problem for line in lines if (problem := problem_of(line, service.name))]
        if problems:
            raise NotYetError(problems[0])
        labels = streams[0]["stream"]
        if missing := [name for name in ("container_name", "level") if not labels.get(name)]:
            raise NotYetError(f"the stream lacks the label {missing[0]}")
        return f"{len(lines)} lines looked at"

    hint = f"in the UI, Logs: {query}; or what it writes: {apis.command('logs', service.compose)}"
    return Check(
        f"logs:{service.name}",
        GROUP,
        f"{service.name}: JSON lines with trace and span id",
        hint,
        ask,
        needs=(service.compose,),
    )


def problem_of(line: str, service: str) -> str:
    """What is wrong with a line, if anything."""
    try:
        record: Any = json.loads(line)
    except ValueError:
        return f"no JSON: {line[:100]}"
    if missing := [name for name in FIELDS if not record.get(name)]:
        return f"a line without {', '.join(missing)}: {line[:100]}"
    if record["service"] != service:
        return f"a line of service {record['service']!r}"
    if len(record.get("trace_id", "")) != 32 or len(record.get("span_id", "")) != 16:
        return f"a line without whole trace and span ids: {line[:100]}"
    return ""


def _of_trace(kind: str, whose: str, name: str, apis: Apis, trace: FreshTrace) -> Check:
    async def ask() -> str:
        trace_id = await trace.made()
        streams = await apis.loki(f'{{service_name="{name}"}} | trace_id="{trace_id}"')
        count = sum(len(stream["values"]) for stream in streams)
        if not count:
            raise NotYetError(f'no line for {{service_name="{name}"}} | trace_id="{trace_id}"')
        return "1 line" if count == 1 else f"{count} lines"

    hint = f'in the UI, Logs: {{service_name="{name}"}} | trace_id="…" with the id of a fresh request'
    return Check(f"{kind}-logs:{name}", GROUP, f"{whose}: log lines of {name}", hint, ask, needs=trace.needs)
