"""Tempo: the check's own request as a trace with the expected services in order; no traces of scrapes."""

from __future__ import annotations

from collections.abc import Sequence

from workshop.check.apis import Apis
from workshop.check.manifest import Hop, Stage
from workshop.check.outcome import Check, NotYetError
from workshop.check.request import FRONTEND_PORT, FreshTrace
from workshop.check.spans import describe, missing_hop, spans

GROUP = "Traces"
SCRAPES = '{name=~".*/(metrics|healthz)" || span.url.path=~"/(metrics|healthz)"}'


def checks(stage: Stage, apis: Apis, request: FreshTrace, click: FreshTrace) -> list[Check]:
    found = [_own_trace(stage, apis, request)]
    if stage.click_paths:
        found.append(_click_trace(stage, apis, click))
    return [*found, _no_scrapes(apis)]


def _own_trace(stage: Stage, apis: Apis, request: FreshTrace) -> Check:
    async def ask() -> str:
        return await follow(await request.made(), stage.paths, apis)

    hint = f"the roller's log has the trace id; then curl -s {apis.url('tempo')}/api/v2/traces/<trace_id>"
    return Check(
        "trace",
        GROUP,
        f"a fresh {stage.request.partition('?')[0]} is a whole trace",
        hint,
        ask,
        needs=request.needs,
    )


def _click_trace(stage: Stage, apis: Apis, click: FreshTrace) -> Check:
    async def ask() -> str:
        return await follow(await click.made(), stage.click_paths, apis)

    hint = f"press Roll at {apis.service_url(FRONTEND_PORT)} and follow the trace id on the page"
    title = "a fresh click is one trace through all services"
    return Check("trace:click", GROUP, title, hint, ask, needs=click.needs)


async def follow(trace_id: str, paths: Sequence[Sequence[Hop]], apis: Apis) -> str:
    """Says how many spans the trace has, once every chain is whole in it."""
    trace = await apis.trace(trace_id)
    if trace is None:
        raise NotYetError(f"Tempo does not know trace {trace_id}")
    found = spans(trace)
    for path in paths:
        if hop := missing_hop(found, path):
            names = ", ".join(sorted({f"{span.service} “{span.name}”" for span in found}))
            raise NotYetError(f"no span {describe(hop)} where it belongs; the trace has {names}")
    return f"{len(found)} spans, trace {trace_id}"


def _no_scrapes(apis: Apis) -> Check:
    async def ask() -> str:
        if traces := await apis.traceql(SCRAPES, limit=1):
            raise NotYetError(f"there is one: {traces[0].get('rootTraceName')} ({traces[0].get('traceID')})")
        return "none"

    hint = "exclude /metrics and /healthz in the service's instrumentation (excluded_urls)"
    return Check(
        "no-scrapes", GROUP, "scrapes and health checks make no traces", hint, ask, after=("trace",), once=True
    )
