"""What a stage teaches, as a question of its own. A manifest entry names it."""

from __future__ import annotations

from collections.abc import Callable

from workshop.check.apis import Apis
from workshop.check.manifest import Stage
from workshop.check.outcome import Check, NotYetError
from workshop.check.request import TracedRequest
from workshop.check.spans import TraceSpan, spans

GROUP = "Lesson"


def checks(stage: Stage, apis: Apis, request: TracedRequest) -> list[Check]:
    return [LESSONS[name](apis, request) for name in stage.lessons]


def overlapping_rolls(apis: Apis, request: TracedRequest) -> Check:
    """Stage 4: the rolls of a batch run at the same time."""

    async def ask() -> str:
        trace = await apis.trace(await request.made())
        rolls = [span for span in spans(trace or {}) if span.name == "roll die"]
        most = most_at_once(rolls)
        if most < 2:
            raise NotYetError(f"{len(rolls)} “roll die” spans, none overlap")
        return f"{most} of {len(rolls)} at the same time"

    hint = "open the trace of a /roll-async in the UI: the “roll die” spans have to lie side by side"
    return Check("overlap", GROUP, "the rolls of a batch overlap in the trace", hint, ask)


def most_at_once(rolls: list[TraceSpan]) -> int:
    """The largest number of spans that run at one moment."""
    ends = sorted([(span.start_ns, 1) for span in rolls] + [(span.end_ns, -1) for span in rolls])
    running = most = 0
    for _, change in ends:
        running += change
        most = max(most, running)
    return most


LESSONS: dict[str, Callable[[Apis, TracedRequest], Check]] = {"overlapping rolls": overlapping_rolls}
