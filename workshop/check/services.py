"""The services themselves: healthy, and their /metrics has the stage's families."""

from __future__ import annotations

import re

from workshop.check.apis import Apis
from workshop.check.manifest import ServiceSignals, Stage
from workshop.check.outcome import Check, NotYetError

GROUP = "Services"
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def checks(stage: Stage, apis: Apis) -> list[Check]:
    found: list[Check] = []
    for service in stage.services:
        found.append(_healthy(service, apis))
        if service.families:
            found.append(_families(service, apis))
        if service.exemplars:
            found.append(_exposes_exemplars(service, apis))
    return found


def _healthy(service: ServiceSignals, apis: Apis) -> Check:
    url = apis.service_url(service.port) + service.health_path

    async def ask() -> str:
        response = await apis.client.get(url)
        if response.status_code != 200:
            raise NotYetError(f"{url} answers {response.status_code}: {response.text[:120]}")
        return "200"

    hint = f"curl -i {url}; its log: {apis.command('logs', service.compose)}"
    return Check(
        f"healthy:{service.name}", GROUP, f"{service.name} is healthy", hint, ask, needs=(service.compose,)
    )


def _families(service: ServiceSignals, apis: Apis) -> Check:
    url = apis.service_url(service.port) + "/metrics"

    async def ask() -> str:
        text = (await apis.client.get(url)).text
        there = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
        if missing := [family for family in service.families if family not in there]:
            raise NotYetError(f"missing: {', '.join(missing)}")
        return f"{len(service.families)} families"

    hint = f"curl -s {url} | grep '^# TYPE'"
    return Check(
        f"families:{service.name}",
        GROUP,
        f"{service.name} /metrics has its families",
        hint,
        ask,
        needs=(service.compose,),
    )


def _exposes_exemplars(service: ServiceSignals, apis: Apis) -> Check:
    url = apis.service_url(service.port) + "/metrics"

    async def ask() -> str:
        text = (await apis.client.get(url, headers=OPENMETRICS)).text
        lines = [line for line in text.splitlines() if line.startswith(service.exemplars) and "# {" in line]
        if not any("trace_id=" in line for line in lines):
            raise NotYetError(f"no trace_id exemplar on {service.exemplars}")
        return f"{len(lines)} buckets carry one"

    hint = f"make a request first, then: curl -s -H 'Accept: application/openmetrics-text' {url} | grep trace_id"
    return Check(
        f"openmetrics:{service.name}",
        GROUP,
        f"{service.name} exposes exemplars (OpenMetrics)",
        hint,
        ask,
        needs=(service.compose,),
    )
