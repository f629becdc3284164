"""PostgreSQL 18 in the foreground: `python -m workshop.infrastructure.postgres --data-dir D --port P --init F`.

Does without Docker what the official image does: POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB make a superuser
and a database, the scripts run once, when the cluster is made. Listens on loopback TCP. SIGTERM and SIGINT are a
fast shutdown and exit code 0; when this process is killed, its guard stops the server.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pocket.addresses import LOOPBACK
from workshop.errors import WorkshopError
from workshop.guard import Guard
from workshop.infrastructure.account import current_account, data_folder
from workshop.infrastructure.cluster import Cluster, Owner, end_orphan
from workshop.infrastructure.programs import programs

PORT = 15432


class StopAsked(Exception):  # noqa: N818 - no error
    """SIGTERM or SIGINT came."""


def main(words: Sequence[str]) -> int:
    """Exit code 0 when asked to stop; the server's own when it ends by itself; 1 when it cannot start."""
    arguments = parse(words)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ask_to_stop)
    try:
        account = current_account()
        folder = data_folder(arguments.data_dir.resolve(), account)
        with locked(folder), programs(account) as found:
            return run(Cluster(folder, account, found), owner(), init_scripts(arguments.init), arguments.port)
    except StopAsked:
        return 0
    except WorkshopError as error:
        print(f"postgres: {error}", file=sys.stderr)
        return error.code
    except (OSError, shutil.Error) as error:
        print(f"postgres: {error}", file=sys.stderr)
        return 1


def parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="workshop.infrastructure.postgres", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--init", type=Path, action="append", default=[], help="an SQL script or a folder of them")
    return parser.parse_args(words)


def run(cluster: Cluster, owner: Owner, scripts: Sequence[Path], port: int) -> int:
    end_orphan(cluster.data)
    if not cluster.exists:
        cluster.create(owner, scripts)
    where = ("-h", LOOPBACK, "-p", str(port), "-c", "unix_socket_directories=")
    with Guard() as guard, cluster.server(guard, cluster.data, where, wait=False) as process:
        return abs(process.wait())


def owner() -> Owner:
    """From the official image's environment variables, with its defaults.

    A password that the image would read from a file (POSTGRES_PASSWORD_FILE) is none here: the stages name a file
    of which each look shows another one, so that nobody knows it.
    """
    user = os.environ.get("POSTGRES_USER") or "postgres"
    password = os.environ.get("POSTGRES_PASSWORD") or None
    if password is None and not os.environ.get("POSTGRES_PASSWORD_FILE"):
        raise WorkshopError("POSTGRES_PASSWORD is missing: it becomes the password of the superuser.")
    return Owner(user, password, os.environ.get("POSTGRES_DB") or user)


def init_scripts(asked: Sequence[Path]) -> list[Path]:
    """The files, and the *.sql of the folders in the order of their names."""
    scripts = [file for path in asked for file in (sorted(path.glob("*.sql")) if path.is_dir() else [path])]
    for script in scripts:
        if not script.is_file():
            raise WorkshopError(f"{script} does not exist.")
    return scripts


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One of us for a data folder; the kernel frees the lock with its holder, however that ends."""
    with (folder / "lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkshopError(f"another PostgreSQL runs on {folder}: stop it first.") from None
        yield


def _ask_to_stop(number: int, frame: FrameType | None) -> None:
    for ignored in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)  # one is enough: the stop that follows is bounded
    raise StopAsked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
