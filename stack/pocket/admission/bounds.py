"""Which times are taken: what lies beyond the history that is kept, or in the future, is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pocket.config import Settings

# Loki's creation_grace_period and Prometheus' scrape tolerance for timestamps ahead of the clock.
AHEAD_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Bounds:
    """The oldest and newest acceptable Unix time in nanoseconds; made once a request."""

    oldest_ns: int
    newest_ns: int

    @classmethod
    def now(cls, settings: Settings) -> Bounds:
        now = time.time_ns()
        return cls(now - settings.retention_seconds * 10**9, now + AHEAD_SECONDS * 10**9)

    def holds(self, t_ns: int) -> bool:
        """Whether a row of this time, in Unix ns, is taken."""
        return self.oldest_ns <= t_ns <= self.newest_ns
