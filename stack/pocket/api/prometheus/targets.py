"""Scrape targets in the JSON of Prometheus' API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from pocket.rows import Labels


class Target(Protocol):
    """What the scraper knows of a target; times in Unix seconds, durations in seconds."""

    @property
    def scrape_pool(self) -> str: ...
    @property
    def scrape_url(self) -> str: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def discovered_labels(self) -> Labels: ...
    @property
    def scrape_interval(self) -> float: ...
    @property
    def scrape_timeout(self) -> float: ...
    @property
    def health(self) -> str: ...
    @property
    def last_error(self) -> str: ...
    @property
    def last_scrape(self) -> float: ...
    @property
    def last_scrape_duration(self) -> float: ...


Targets = Callable[[], Sequence[Target]]


def rfc3339(seconds: float) -> str:
    """Go's zero time for 0: never."""
    if not seconds:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe(targets: Sequence[Target], pool: str, state: str) -> dict[str, Any]:
    """`/targets`: those of one pool or of all ("")."""
    chosen = [one for one in targets if pool in ("", one.scrape_pool)]
    active = sorted(chosen, key=lambda one: one.scrape_pool) if state in ("", "any", "active") else []
    return {"activeTargets": [_target(one) for one in active], "droppedTargets": [], "droppedTargetCounts": {}}


def _target(one: Target) -> dict[str, Any]:
    return {
        "discoveredLabels": one.discovered_labels,
        "labels": one.labels,
        "scrapePool": one.scrape_pool,
        "scrapeUrl": one.scrape_url,
        "globalUrl": one.scrape_url,
        "lastError": one.last_error,
        "lastScrape": rfc3339(one.last_scrape),
        "lastScrapeDuration": one.last_scrape_duration,
        "health": one.health,
        "scrapeInterval": f"{one.scrape_interval:g}s",
        "scrapeTimeout": f"{one.scrape_timeout:g}s",
    }
