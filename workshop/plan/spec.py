"""What the supervisor runs: one ProcessSpec a child, wherever it came from."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, field
from pathlib import Path

from workshop.compose.model import Healthcheck

URL = re.compile(r"http://[\w.:/?=&%-]+")


@dataclass(frozen=True)
class ProcessSpec:
    """A child process. It is healthy when its ports accept, its URLs answer 2xx and its test exits 0."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    environment: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)  # what it is for → number
    url: str = ""
    depends_on: dict[str, str] = field(default_factory=dict)
    healthcheck: Healthcheck | None = None
    health_urls: tuple[str, ...] = ()
    restart: str = "no"
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_period: float = 10.0
    ships_logs: bool = True

    @property
    def health_url(self) -> str:
        """What its health check asks, where that is a URL; else empty."""
        test = self.healthcheck.test if self.healthcheck else ()
        found = URL.search(" ".join((*self.health_urls, *test)))
        return found[0] if found else ""
