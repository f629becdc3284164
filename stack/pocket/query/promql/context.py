"""What an evaluation carries along: the steps, the source, the limits, the notes for the user."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pocket.budget import Budget
from pocket.query.numbers import general
from pocket.query.promql.result import TOO_MANY_SAMPLES, Annotations, MetricSource, QueryError
from pocket.query.promql.syntax_error import position
from pocket.query.promql.table import Floats, Ints

LOOKBACK_MS = 300_000
DEFAULT_SUBQUERY_STEP_MS = 60_000  # global.evaluation_interval's default
# Prometheus stops at 50 million samples; a cell here costs 9 bytes and as much again for intermediate results,
# and the process shares a laptop.
MAX_CELLS = 10_000_000
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a query looks back and how long it may run, in ms and seconds."""

    lookback_ms: int = LOOKBACK_MS
    subquery_step_ms: int = DEFAULT_SUBQUERY_STEP_MS
    timeout_seconds: float = TIMEOUT_SECONDS
    max_cells: int = MAX_CELLS


@dataclass(slots=True)
class Context:
    """`times` are the evaluation times in ms; `start_ms` and `end_ms` the whole query's, also in subqueries."""

    source: MetricSource
    text: str
    times: Ints
    start_ms: int
    end_ms: int
    limits: Limits
    budget: Budget
    annotations: Annotations = field(default_factory=Annotations)

    @property
    def is_range(self) -> bool:
        return len(self.times) > 1

    def at(self, times: Ints) -> Context:
        """The same query at other steps, as a subquery evaluates its expression."""
        return replace(self, times=times)

    def check(self, cells: int = 0) -> None:
        """Raises Stopped when the query is to end, QueryError when `cells` samples at once are too many."""
        self.budget.check()
        if cells > self.limits.max_cells:
            raise QueryError("execution", TOO_MANY_SAMPLES)

    def warn(self, message: str, pos: int) -> None:
        _once(self.annotations.warnings, f"PromQL warning: {message} ({position(self.text, pos)})")

    def inform(self, message: str, pos: int) -> None:
        _once(self.annotations.infos, f"PromQL info: {message} ({position(self.text, pos)})")


def warn_of_quantiles(context: Context, q: Floats, pos: int) -> None:
    """One warning for each φ outside [0, 1]."""
    for wrong in dict.fromkeys(general(x) for x in q[np.isnan(q) | (q < 0) | (q > 1)].tolist()):
        context.warn(f"quantile value should be between 0 and 1, got {wrong}", pos)


def _once(messages: list[str], message: str) -> None:
    if message not in messages:
        messages.append(message)
