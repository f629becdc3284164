"""The passwords of a run's database: made with its data, kept beside them for the owner alone, removed with them.

The names are those that the compose files leave open; what stands there as a default is for Docker.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.paths import RunPaths, flags, program

NAMES = ("SERVICES_DATABASE_PASSWORD", "EXPORTER_DATABASE_PASSWORD", "GRAFANA_DATABASE_PASSWORD")


def make(paths: RunPaths, offset: int) -> None:
    """Those of the caller's environment, else random ones, unless the run's data have theirs already."""
    if paths.passwords.exists():
        return
    if paths.postgres.exists() and any(paths.postgres.iterdir()):
        remedy = f"remove the run's data ({program()} down --volumes{flags(paths, offset)})"
        older = "was made by an older version, where the services could do anything with it"
        raise WorkshopError(f"the database in {paths.postgres} {older}: {remedy} and start again.")
    paths.postgres.mkdir(parents=True, exist_ok=True)
    made = {name: os.environ.get(name) or secrets.token_urlsafe(24) for name in NAMES}
    _write_once(paths.passwords, json.dumps(made))


def stored(paths: RunPaths) -> dict[str, str]:
    """By variable; empty when the run has no database."""
    try:
        found: dict[str, str] = json.loads(paths.passwords.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found


def _write_once(path: Path, text: str) -> None:
    """Whole or not at all; of several that begin at once, the first one's stays."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".passwords.")  # 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()
