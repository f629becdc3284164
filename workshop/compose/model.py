"""What the runner needs to know of a compose file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"


@dataclass(frozen=True)
class Healthcheck:
    """Docker's health check; times in seconds. `test` is an argument vector, already with its shell."""

    test: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 30.0
    retries: int = 3
    start_period: float = 0.0


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()  # on the host
    container_ports: tuple[int, ...] = ()  # of the same length
    depends_on: dict[str, str] = field(default_factory=dict)  # service → condition
    healthcheck: Healthcheck | None = None
    build: Path | None = None  # the build context: the working directory of the local process
    image: str = ""
    volumes: tuple[tuple[Path, str], ...] = ()  # bind mounts: path here, path in the container
    profiles: tuple[str, ...] = ()
    restart: str = "no"
    stop_signal: str = "SIGTERM"
    stop_grace_period: float = 10.0
    line: int = 0


@dataclass(frozen=True)
class Project:
    """A compose file: its own services, and the names and ports of those it includes (the stack's)."""

    path: Path
    name: str
    services: dict[str, Service]
    included: dict[str, Service] = field(default_factory=dict)

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(self.services) | frozenset(self.included)

    @property
    def ports(self) -> frozenset[int]:
        return frozenset(
            port for service in (*self.services.values(), *self.included.values()) for port in service.ports
        )
