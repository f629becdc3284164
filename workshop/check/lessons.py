"""What a stage teaches, as a question of its own. A manifest entry names it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from workshop.check import profiles, usage
from workshop.check.apis import Apis
from workshop.check.manifest import Stage
from workshop.check.outcome import Check, NotYetError
from workshop.check.request import ROLLER_PORT, FreshTrace, TracedRequest
from workshop.check.spans import TraceSpan, spans

GROUP = "Lesson"
SHAKES = 20  # traces; one shake is some five samples at 100 Hz
BATCH = [0, 1, 2, 3, 4]  # dice.roll_index of stage 4's own request


def checks(stage: Stage, apis: Apis, request: FreshTrace) -> list[Check]:
    return [LESSONS[name](apis, request) for name in stage.lessons]


def shaking_profile(apis: Apis, request: FreshTrace) -> Check:
    """Stage 3: the heavy die's work has a profile of its own, found by its span's id."""
    heavy = TracedRequest("/roll?die=heavy", apis, request.needs)

    async def ask() -> str:
        await heavy.made()
        traces = await apis.traceql('{name="shake"} with (most_recent=true)', limit=SHAKES)
        ids = [span["spanID"] for trace in traces for found in trace["spanSets"] for span in found["spans"]]
        if not ids:
            raise NotYetError("no “shake” span")
        return await profiles.total(profiles.CPU, '{service_name="dice-roller"}', apis, ids)

    hint = f"roll the heavy die: curl '{apis.service_url(ROLLER_PORT)}{heavy.path}'; the profile comes within 15 s"
    return Check("shaking", GROUP, "the heavy die's spans lead to their profile", hint, ask, needs=heavy.needs)


def overlapping_rolls(apis: Apis, request: FreshTrace) -> Check:
    """Stage 4: the rolls of a batch run at the same time."""

    async def ask() -> str:
        trace = await apis.trace(await request.made())
        rolls = [span for span in spans(trace or {}) if span.name == "roll die"]
        if (indexes := sorted(int(span.attributes.get("dice.roll_index", -1)) for span in rolls)) != BATCH:
            raise NotYetError(f"“roll die” spans with the dice.roll_index {indexes}, not {BATCH}")
        # A roll may wait for next to nothing, and end before the last one has begun: hence not all.
        if (most := most_at_once(rolls)) <= len(rolls) / 2:
            raise NotYetError(f"of {len(rolls)} rolls no more than {most} run at the same time")
        return f"{most} of {len(rolls)} at the same time"

    hint = "open the trace of a /roll-async in the UI: the “roll die” spans have to lie side by side"
    return Check("overlap", GROUP, "the rolls of a batch overlap in the trace", hint, ask, needs=request.needs)


def database_span(apis: Apis, request: FreshTrace) -> Check:
    """Stage 5: the query is a span with the stable database attributes, so that it can be looked up."""

    async def ask() -> str:
        trace = await apis.trace(await request.made())
        queries = [span for span in spans(trace or {}) if span.attributes.get("db.system.name") == "postgresql"]
        if not queries:
            raise NotYetError("no span with db.system.name=postgresql in the fresh trace")
        if not (text := queries[0].attributes.get("db.query.text")):
            raise NotYetError(f"“{queries[0].name}” has no db.query.text")
        return f"{len(queries)} queries, such as {str(text)[:60]}"

    hint = "open the fresh trace in the UI; OTEL_SEMCONV_STABILITY_OPT_IN has to have `database` in it"
    return Check("database", GROUP, "the database query is a span of the trace", hint, ask, needs=request.needs)


def usage_stored_once(apis: Apis, request: FreshTrace) -> Check:
    """Stage 6: what the logs say was emitted is what the usage-service has stored, each event once."""
    hint = f"curl -s {apis.service_url(usage.PORT)}/usage/summary; python usage_audit.py in stage6/traffic-gen"
    title = "each usage event is stored exactly once"
    return Check("usage", GROUP, title, hint, partial(usage.compare, apis), needs=(usage.SERVICE,))


def most_at_once(rolls: list[TraceSpan]) -> int:
    """The largest number of spans that run at one moment."""
    ends = sorted([(span.start_ns, 1) for span in rolls] + [(span.end_ns, -1) for span in rolls])
    running = most = 0
    for _, change in ends:
        running += change
        most = max(most, running)
    return most


LESSONS: dict[str, Callable[[Apis, FreshTrace], Check]] = {
    "shaking profile": shaking_profile,
    "overlapping rolls": overlapping_rolls,
    "database span": database_span,
    "usage stored once": usage_stored_once,
}
