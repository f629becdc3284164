"""The pocket stack's own metrics, as text."""

from __future__ import annotations

import resource
import threading
from collections.abc import Sequence

from pocket.memory import peak_bytes, resident_bytes
from pocket.receive.scrape import TargetState
from pocket.store import Store

_HELP = {
    "pocket_received_total": "Rows taken in, by signal.",
    "pocket_refused_total": "Requests refused for now (503), by signal; their senders send them again.",
    "pocket_dropped_total": "Rows dropped for good, by signal and reason.",
    "pocket_scrape_failures_total": "Scrapes without a usable answer.",
    "pocket_usage_delivered_total": "Usage events that usage-service has acknowledged.",
}


def exposition(store: Store, usage_waiting: int, targets: Sequence[TargetState]) -> str:
    """Prometheus' text format, version 0.0.4."""
    counters = dict(store.counters)
    lines: list[str] = []
    for name, help_ in _HELP.items():
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} counter"]
        lines += [f"{key} {value}" for key, value in sorted(counters.items()) if key.partition("{")[0] == name]
    gauges = {
        "pocket_store_bytes": ("Size of the store's files.", store.size_bytes()),
        "pocket_store_queue_bytes": ("Estimated size of what waits to be written.", store.queued_bytes),
        "pocket_store_series": ("Time series in the store.", len(store.metrics.index.values)),
        "pocket_usage_queue_length": ("Usage events that wait to be acknowledged.", usage_waiting),
        "pocket_scrape_targets": ("Targets scraped.", len(targets)),
        "pocket_scrape_targets_down": ("Targets whose last scrape failed.", _down(targets)),
        "process_resident_memory_bytes": ("Resident memory size in bytes.", resident_bytes() or peak_bytes()),
        "process_threads": ("Threads of the process.", threading.active_count()),
    }
    for name, (help_, number) in gauges.items():
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} gauge", f"{name} {number}"]
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    lines += [
        "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.",
        "# TYPE process_cpu_seconds_total counter",
        f"process_cpu_seconds_total {cpu.ru_utime + cpu.ru_stime:.3f}",
    ]
    return "\n".join(lines) + "\n"


def _down(targets: Sequence[TargetState]) -> int:
    return sum(target.health == "down" for target in targets)
