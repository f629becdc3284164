"""The pocket stack's own metrics, which it scrapes from itself as from any target."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from pocket.process_memory import peak_bytes, resident_bytes


class OwnMetrics:
    """Counters that any room may add to, from any thread, and gauges that are asked at each scrape."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a second series a counter, which nobody asks for
        self.registry = CollectorRegistry()
        self.received = self._counter("pocket_received", "Rows taken in, by signal.", "signal")
        self.refused = self._counter(
            "pocket_refused", "Requests refused for now (503), by signal; their senders send them again.", "signal"
        )
        self.dropped = self._counter(
            "pocket_dropped", "Rows dropped for good, by signal and reason.", "signal", "reason"
        )
        self.scrape_failures = self._counter("pocket_scrape_failures", "Scrapes without a usable answer.")
        self.usage_delivered = self._counter(
            "pocket_usage_delivered", "Usage events that usage-service has acknowledged."
        )
        self.registry.register(_Process())

    def gauge(self, name: str, help_: str, value: Callable[[], float]) -> None:
        """`value` is called at each scrape."""
        Gauge(name, help_, registry=self.registry).set_function(value)

    def value(self, name: str, **labels: str) -> float:
        """What a series says now; 0 where nothing was counted yet."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The body and its content type, in the format that the Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, registry=self.registry)


class _Process(Collector):
    """What prometheus_client's own collector tells, also where there is no /proc (macOS)."""

    def collect(self) -> Iterator[Metric]:
        memory = resident_bytes() or peak_bytes()
        used = resource.getrusage(resource.RUSAGE_SELF)
        yield GaugeMetricFamily("process_resident_memory_bytes", "Resident memory size in bytes.", memory)
        yield GaugeMetricFamily("process_threads", "Threads of the process.", threading.active_count())
        yield CounterMetricFamily(
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds.",
            used.ru_utime + used.ru_stime,
        )
