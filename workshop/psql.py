"""The database of stages 5 and 6, in Docker or not, at the prompt of the psql that the embedded PostgreSQL has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pocket.addresses import LOOPBACK
from workshop.compose.reader import read
from workshop.errors import WorkshopError
from workshop.infrastructure.cluster import environment
from workshop.infrastructure.programs import installed
from workshop.paths import COMPOSE_FILE, RunPaths, program, stages
from workshop.plan import DATABASE, passwords
from workshop.run import state
from workshop.run.ports import is_free

CLIENT = "die-service"  # the prompt may do what this service may


def passwords_in_force(paths: RunPaths) -> dict[str, str]:
    """Those of the run that is alive, by variable; empty where Docker's may be, which has the file's defaults."""
    return passwords.stored(paths) if state.running(paths) else {}


def become_psql(root: Path, offset: int, paths: RunPaths, arguments: Sequence[str]) -> NoReturn:
    """In this process's place, so that the terminal and its Ctrl-C are psql's alone.

    User and database are the service's of the compose file, the password is the run's, or with Docker the file's;
    flags among `arguments` may name others.
    """
    last = stages(root)[-1]
    variables = os.environ | passwords_in_force(paths)
    services = read(root / f"stage{last}" / COMPOSE_FILE, variables).services
    port = services[DATABASE].ports[0] + offset
    if is_free(port):
        or_else = f"Is it stopped ({program()} start {DATABASE}), or on other ports (PORT_OFFSET)?"
        raise WorkshopError(f"no database on port {port}. Stages 5 and 6 have one. {or_else}", code=1)
    service = services[CLIENT].environment
    connection = {name: service[name] for name in ("PGUSER", "PGPASSWORD", "PGDATABASE")}
    connection |= {"PGHOST": LOOPBACK, "PGPORT": str(port)}
    psql = installed() / "psql"
    os.execve(psql, [str(psql), *arguments], environment() | connection)  # noqa: S606 - no shell is needed
