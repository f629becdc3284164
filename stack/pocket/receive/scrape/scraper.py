"""The scrape loops: one a target, each at its own interval."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass, field
from typing import Literal

import httpx

from pocket.admission.bounds import AHEAD_SECONDS
from pocket.config import Settings
from pocket.receive.scrape.config import Job, Target, resolvable
from pocket.receive.scrape.exposition import ACCEPT, ExpositionError, Scrape, parse
from pocket.rows import STALE_NAN, Labels, Sample
from pocket.store import Store, StoreFull, TooLargeError

log = logging.getLogger(__name__)

_AT_ONCE = 20_000  # samples: some 15 MB of memory, while the queue takes 48
Series = frozenset[tuple[str, str]]


@dataclass(slots=True)
class TargetState:
    """What the Prometheus API's `/targets` tells of a target; times in Unix seconds and seconds."""

    scrape_pool: str
    scrape_url: str
    labels: Labels
    discovered_labels: Labels
    scrape_interval: float
    scrape_timeout: float
    health: Literal["unknown", "up", "down"] = "unknown"
    last_error: str = ""
    last_scrape: float = 0.0
    last_scrape_duration: float = 0.0


@dataclass(slots=True)
class _Loop:
    state: TargetState
    series: dict[Series, Labels] = field(default_factory=dict)  # of the last scrape: what vanishes goes stale


class Scraper:
    """Scrapes the targets of `jobs` that exist here, and adds Prometheus' own series about each scrape."""

    def __init__(self, store: Store, settings: Settings, jobs: list[Job]) -> None:
        self._store, self._limit = store, settings.max_body_bytes
        found = resolvable(jobs, settings.hosts, settings.port_offset)
        self._loops = [_Loop(_state(job, target)) for job, target in found]
        self._client: httpx.AsyncClient | None = None

    def targets(self) -> list[TargetState]:
        """The live states, one a target."""
        return [loop.state for loop in self._loops]

    async def run(self) -> None:
        """Until cancelled; marks every series stale at the end, as Prometheus does when a target goes."""
        # A connection each time: uvicorn closes an idle one after 5 s, which is when the next scrape would use it.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(trust_env=False, follow_redirects=True, limits=limits) as self._client:
            try:
                async with asyncio.TaskGroup() as group:
                    for loop in self._loops:
                        group.create_task(self._repeat(loop))
            finally:
                self._finish()

    async def _repeat(self, loop: _Loop) -> None:
        interval = loop.state.scrape_interval
        # Spread over the interval, but soon: the first picture should not wait for one.
        due = time.monotonic() + random.uniform(0, min(interval, 1))
        while True:
            await asyncio.sleep(due - time.monotonic())
            try:
                await self.scrape(loop)
            except Exception:  # one target's surprise must not end the others' scrapes
                log.exception("scraper: %s", loop.state.scrape_url)
            # A late scrape does not shift those after it; missed ones are left out.
            due += interval * max(1, -(-(time.monotonic() - due) // interval))

    async def scrape(self, loop: _Loop) -> None:
        """One scrape, whose samples go into the store; a failure is a state and an `up` of 0."""
        state = loop.state
        t_ms, begun = time.time_ns() // 10**6, time.monotonic()
        try:
            async with asyncio.timeout(state.scrape_timeout):
                body, content_type = await self._get(state.scrape_url)
            result = await asyncio.to_thread(parse, body, content_type, state.labels, t_ms)
            state.health, state.last_error = "up", ""
        except (httpx.HTTPError, ExpositionError, TimeoutError) as error:
            result = Scrape()
            state.health, state.last_error = "down", _reason(error)
            self._store.own_metrics.scrape_failures.inc()
        state.last_scrape, state.last_scrape_duration = t_ms / 1000, time.monotonic() - begun
        self._append(loop, result, t_ms)

    async def _get(self, url: str) -> tuple[bytes, str]:
        assert self._client is not None
        async with self._client.stream("GET", url, headers={"accept": ACCEPT}, timeout=None) as response:
            if response.status_code != 200:
                status = f"{response.status_code} {response.reason_phrase}"
                raise ExpositionError(f"server returned HTTP status {status}")
            parts, size = [], 0
            async for part in response.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > self._limit:
                    raise ExpositionError(f"body size limit exceeded: {self._limit} bytes")
        return b"".join(parts), response.headers.get("content-type", "")

    def _append(self, loop: _Loop, result: Scrape, t_ms: int) -> None:
        newest = t_ms + AHEAD_SECONDS * 1000
        samples = [sample for sample in result.samples if 0 < sample.t_ms <= newest]
        series = {frozenset(sample.labels.items()): sample.labels for sample in samples if sample.t_ms == t_ms}
        gone = [Sample(labels, t_ms, STALE_NAN) for key, labels in loop.series.items() if key not in series]
        added = len(series.keys() - loop.series.keys())
        samples += gone + _report(loop.state, len(result.samples), added, t_ms)
        try:
            for begin in range(0, len(samples), _AT_ONCE):
                self._store.append_samples(samples[begin : begin + _AT_ONCE])
            self._store.append_metrics([], result.exemplars, result.metadata)
        except (StoreFull, TooLargeError):  # the next scrape tells the values again, but not of this time
            self._store.own_metrics.dropped.labels("samples", "full").inc(len(samples))
            return
        loop.series = series

    def _finish(self) -> None:
        t_ms = time.time_ns() // 10**6
        stale: list[Sample] = []
        for loop in self._loops:
            stale += [Sample(labels, t_ms, STALE_NAN) for labels in loop.series.values()]
            if loop.state.health != "unknown":
                stale += [Sample(sample.labels, t_ms, STALE_NAN) for sample in _report(loop.state, 0, 0, t_ms)]
        try:
            self._store.append_samples(stale)
        except (StoreFull, TooLargeError):
            self._store.own_metrics.dropped.labels("samples", "full").inc(len(stale))
            log.warning("scraper: the store is full, the last staleness markers are lost")


def _report(state: TargetState, scraped: int, added: int, t_ms: int) -> list[Sample]:
    values = {
        "up": float(state.health == "up"),
        "scrape_duration_seconds": state.last_scrape_duration,
        "scrape_samples_scraped": float(scraped),
        "scrape_samples_post_metric_relabeling": float(scraped),
        "scrape_series_added": float(added),
    }
    return [Sample({"__name__": name, **state.labels}, t_ms, value) for name, value in values.items()]


def _state(job: Job, target: Target) -> TargetState:
    address = f"{target.host}:{target.port}"
    discovered = {
        "__address__": address, "__metrics_path__": job.metrics_path, "__scheme__": job.scheme,
        "__scrape_interval__": f"{job.interval:g}s", "__scrape_timeout__": f"{job.timeout:g}s", "job": job.name,
        **target.labels,
    }  # fmt: skip
    labels = {"instance": address, "job": job.name, **target.labels}
    url = f"{job.scheme}://{address}{job.metrics_path}"
    return TargetState(job.name, url, labels, discovered, job.interval, job.timeout)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "context deadline exceeded"
    return str(error) or type(error).__name__
