"""What one action of a user came to, and all of them summed up."""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` is an HTTP status code as text, or the name of the error that kept one from arriving."""

    action: str
    status: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.status.isdecimal() and int(self.status) < 400


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds, linearly interpolated between closest ranks; empty without data."""
    if not seconds:
        return {}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else list(seconds) * 99
    return {f"p{p}": round(cuts[p - 1] * 1000, 1) for p in PERCENTILES}


@dataclass
class Summary:
    """Collects outcomes; `missed` counts the arrivals of a fixed rate that found no free user."""

    outcomes: list[Outcome] = field(default_factory=list)
    missed: int = 0
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def finish(self) -> None:
        self.seconds = time.perf_counter() - self.started

    @property
    def per_second(self) -> float:
        """What came of a RATE: outcomes a second from the start to the end."""
        return len(self.outcomes) / self.seconds if self.seconds else 0.0

    def by_action(self) -> dict[str, list[Outcome]]:
        groups: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in sorted(self.outcomes, key=lambda outcome: outcome.action):
            groups[outcome.action].append(outcome)
        return dict(groups)

    def as_dict(self) -> dict[str, Any]:
        """The JSON summary: totals at the top, the same figures for each action under `actions`."""
        actions = {name: figures(outcomes) for name, outcomes in self.by_action().items()}
        totals = {
            "seconds": round(self.seconds, 3),
            "requests_per_second": round(self.per_second, 2),
            "missed": self.missed,
        }
        return {**figures(self.outcomes), **totals, "actions": actions}


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Requests, failures, errors by status and latency percentiles (ms) of some outcomes."""
    errors = Counter(outcome.status for outcome in outcomes if not outcome.ok)
    return {
        "requests": len(outcomes),
        "failed": errors.total(),
        "errors": dict(sorted(errors.items())),
        "latency_ms": percentiles_ms([outcome.seconds for outcome in outcomes]),
    }
