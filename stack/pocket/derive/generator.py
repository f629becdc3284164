"""Spans in, samples out every few seconds."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Mapping

from pocket.derive.service_graph import ServiceGraph
from pocket.derive.span_metrics import SpanMetrics
from pocket.rows import Exemplar, MetricMetadata, Sample, Span
from pocket.store import Store, StoreFull, TooLargeError

log = logging.getLogger(__name__)

COLLECT_SECONDS = 5  # as often as Prometheus scrapes; stack/tempo/tempo.yaml has the same


class Generator:
    """`add` may be called from any thread. `peers`: see ServiceGraph."""

    def __init__(self, store: Store, peers: Mapping[int, str] | None = None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._spans, self._graph = SpanMetrics(), ServiceGraph(peers)
        graph = self._graph
        self._counters = (self._spans.calls, graph.total, graph.failed)
        self._histograms = (self._spans.latency, graph.server_seconds, graph.client_seconds)

    def add(self, spans: Iterable[Span], now_ms: int | None = None) -> None:
        """Counts finished spans; `now_ms` (Unix) is the clock's unless given."""
        now_ms = time.time_ns() // 10**6 if now_ms is None else now_ms
        with self._lock:
            for span in spans:
                self._spans.add(span, now_ms)
                if span.kind > 1:
                    self._graph.add(span, now_ms)

    def collect(self, t_ms: int) -> tuple[list[Sample], list[Exemplar]]:
        """All series. A new one begins with 0 one collection earlier (Tempo: at the last full minute)."""
        before_ms = t_ms - COLLECT_SECONDS * 1000
        samples: list[Sample] = []
        exemplars: list[Exemplar] = []
        with self._lock:
            self._graph.expire(t_ms)
            for counter in self._counters:
                counter.expire(t_ms)
                samples += counter.collect(t_ms, before_ms)
            for histogram in self._histograms:
                histogram.expire(t_ms)
                own_samples, own_exemplars = histogram.collect(t_ms, before_ms)
                samples += own_samples
                exemplars += own_exemplars
            self._count_drops()
        return samples, exemplars

    async def run(self) -> None:
        """Until cancelled."""
        types = [MetricMetadata(c.name, "counter") for c in self._counters]
        self._store.append_metadata(types + [MetricMetadata(h.name, "histogram") for h in self._histograms])
        while True:
            await asyncio.sleep(COLLECT_SECONDS)
            self.write()

    def write(self) -> None:
        """Collect now, into the store."""
        samples, exemplars = self.collect(time.time_ns() // 10**6)
        try:
            self._store.append_metrics(samples, exemplars)
        except (StoreFull, TooLargeError):
            self._store.own_metrics.dropped.labels("samples", "full").inc(len(samples))
            log.warning("derive: the store is full, one collection is left out")

    def _count_drops(self) -> None:
        for family in (*self._counters, *self._histograms):
            if family.dropped:
                self._store.own_metrics.dropped.labels("derived", "cardinality").inc(family.dropped)
                family.dropped = 0
        if self._graph.dropped:
            self._store.own_metrics.dropped.labels("edges", "waiting").inc(self._graph.dropped)
            self._graph.dropped = 0
