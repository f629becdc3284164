"""The one table of infrastructure images that run without Docker, and what stands in for each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from pocket.addresses import LOOPBACK
from workshop.compose.model import Service
from workshop.paths import RunPaths

INIT_FOLDER = "/docker-entrypoint-initdb.d"  # where the official postgres image looks for scripts
StandIn = Callable[[Service, RunPaths], tuple[str, ...]]  # → the command that stands in for the image


def stand_in(image: str) -> StandIn | None:
    """By the image's name without registry, owner and version; None when there is none."""
    return STAND_INS.get(_name(image))


def scheme(image: str) -> str:
    """Of the URL under which a service is reached; what is built here speaks HTTP."""
    return "postgresql" if _name(image) == "postgres" else "http"


def _name(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _postgres(service: Service, paths: RunPaths) -> tuple[str, ...]:
    scripts = [path for path, target in service.volumes if Path(target).is_relative_to(INIT_FOLDER)]
    init = [word for script in scripts for word in ("--init", str(script))]
    where = ("--data-dir", str(paths.postgres), "--port", str(service.ports[0]))
    return (sys.executable, "-m", "workshop.infrastructure.postgres", *where, *init)


def _postgres_exporter(service: Service, paths: RunPaths) -> tuple[str, ...]:
    address = f"{LOOPBACK}:{service.ports[0]}"
    return (sys.executable, "-m", "workshop.infrastructure.postgres_exporter", f"--web.listen-address={address}")


STAND_INS: dict[str, StandIn] = {"postgres": _postgres, "postgres-exporter": _postgres_exporter}
