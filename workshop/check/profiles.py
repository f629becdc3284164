"""Pyroscope: a CPU profile of every Python service."""

from __future__ import annotations

from collections.abc import Sequence

from workshop.check.apis import Apis
from workshop.check.manifest import ServiceSignals, Stage
from workshop.check.outcome import Check, NotYetError

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def checks(stage: Stage, apis: Apis) -> list[Check]:
    return [_profile(service, apis) for service in stage.services if service.profiles]


def _profile(service: ServiceSignals, apis: Apis) -> Check:
    selector = f'{{service_name="{service.name}"}}'

    async def ask() -> str:
        return await total(CPU, selector, apis)

    hint = f"wait 15 s for the first upload; is PYROSCOPE_SERVER_ADDRESS set? {apis.url('pyroscope')}/ready"
    return Check(
        f"profile:{service.name}",
        "Profiles",
        f"a CPU profile of {service.name}",
        hint,
        ask,
        needs=(service.compose,),
    )


async def total(profile_type: str, selector: str, apis: Apis, spans: Sequence[str] = ()) -> str:
    """How much the merged stacks hold, of these spans if any are given; NotYetError when nothing."""
    wanted = {"profileTypeID": profile_type, "labelSelector": selector}
    if spans:
        answer = await apis.pyroscope("SelectMergeSpanProfile", **wanted, spanSelector=list(spans))
    else:
        answer = await apis.pyroscope("SelectMergeStacktraces", **wanted)
    flame = answer.get("flamegraph") or {}
    if not int(flame.get("total", 0)):
        raise NotYetError(f"no samples for {selector}")
    return f"{int(flame['total']) / 1e6:.0f} ms of CPU, {len(flame.get('names', ()))} functions"
