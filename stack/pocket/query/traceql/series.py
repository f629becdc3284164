"""Time series of TraceQL metrics: their steps, and how many an answer may have (Tempo's engine_metrics.go)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pocket.query.errors import ParseError, QueryFailure
from pocket.query.traceql.ast import Value

MAX_STEPS = 11_000
# Tempo's max_response_series. Tempo cuts there and marks the answer partial; half an answer is refused here.
MAX_SERIES = 1000
_TOO_MANY = (
    f"Response exceeds maximum series limit of {MAX_SERIES}: group by fewer or by other attributes, "
    "or narrow the time range"
)
BYTES_A_STEP, BYTES_A_SERIES = 8, 500  # of what is collected

Labels = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Bucket i is (start + i·step, start + (i + 1)·step], shown at its end."""

    start_ns: int
    step_ns: int
    count: int

    @property
    def end_ns(self) -> int:
        """Behind the last nanosecond of the last bucket."""
        return self.start_ns + self.count * self.step_ns + 1

    def index(self, t_ns: int) -> int:
        return (t_ns - self.start_ns - 1) // self.step_ns

    def time_ms(self, index: int) -> int:
        return (self.start_ns + (index + 1) * self.step_ns) // 10**6


@dataclass(slots=True)
class Series:
    labels: Labels
    samples: list[tuple[int, float]]  # t_ms, value


class SeriesLimit(QueryFailure):
    """More series than an answer may have (422: well formed, and too much)."""


def window(start_ns: int, end_ns: int, step_ns: int) -> Window:
    """The aligned steps of a range query: one more before its start, as Tempo's AlignRequest has it."""
    if step_ns <= 0:
        raise ParseError("step must be greater than 0")
    first = start_ns - start_ns % step_ns - step_ns
    last = end_ns + -end_ns % step_ns
    if (last - first) // step_ns > MAX_STEPS:
        raise ParseError("exceeded maximum resolution of 11,000 points per time series")
    return Window(first, step_ns, (last - first) // step_ns)


def limit_series(count: int) -> None:
    if count > MAX_SERIES:
        raise SeriesLimit(_TOO_MANY)


def timed(labels: Labels, steps: Window, values: Iterable[float]) -> Series:
    """The series with a value a step; a step whose value is NaN has none."""
    samples = [(steps.time_ms(i), value) for i, value in enumerate(values) if not math.isnan(value)]
    return Series(labels, samples)
