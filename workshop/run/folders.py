"""A run's folders: what is written there (log lines, telemetry, passwords) is its owner's alone."""

from __future__ import annotations

import os

from workshop.infrastructure.account import PASSABLE
from workshop.paths import RunPaths

PRIVATE_UMASK = 0o077


def make_private(paths: RunPaths) -> None:
    """Makes them, with modes of their own, and has this process and those it starts write for its owner alone.

    A folder given by --data-dir that is there already keeps its mode. Root's lets the database's account through.
    """
    if not paths.data_dir.exists():
        paths.data_dir.mkdir(parents=True)
        paths.data_dir.chmod(0o700 if os.geteuid() else PASSABLE)
    for folder in (paths.logs, paths.pocket):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)  # an older version's were open, and so are the files in them
    os.umask(PRIVATE_UMASK)
