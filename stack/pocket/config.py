"""What the process needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pocket.addresses import PORTS


@dataclass(frozen=True)
class Settings:
    """All that `python -m pocket` takes; paths are absolute, sizes in bytes, times in seconds."""

    data_dir: Path
    port_offset: int = 0
    prometheus_config: Path | None = None
    hosts: tuple[str, ...] = ()  # service names that resolve to loopback, as Docker's DNS would
    peers: Mapping[int, str] = field(default_factory=dict)  # port on loopback → the service that has it
    dashboards: tuple[Path, ...] = ()  # folders with Grafana dashboard JSON
    stage: int | None = None
    usage_endpoint: str | None = None  # OTLP/HTTP logs URL of the usage route (stage 6)
    retention_seconds: int = 6 * 3600
    retention_bytes: int = 1 << 30
    max_body_bytes: int = 16 << 20
    # What queries may take together, so that intake and the machine beside it go on.
    query_workers: int = 4  # at once; the others wait
    query_waiting: int = 100  # in the queue; more are refused (429)
    lookup_workers: int = 2  # labels, series, tags, a trace by its id: apart from queries
    query_seconds: float = 30.0  # one query, its waiting included; Grafana's own patience is 30
    query_bytes: int = 128 << 20  # texts, samples and rows that one query holds, as estimated
    tails: int = 10  # live tails at once, as Loki's max_concurrent_tail_requests
    memory_bytes: int = 1 << 30  # resident; beyond it queries end. 138 MB at rest. 0: no limit

    def port(self, component: str) -> int:
        """The number it listens on, offset and all; `component` is one of addresses.PORTS."""
        return PORTS[component] + self.port_offset
