"""A database cluster on disk: made once, whole or not at all, and the server that runs on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from workshop.errors import WorkshopError
from workshop.guard import Guard
from workshop.infrastructure.account import Account

READY_SECONDS = 20.0
FAST_STOP_SECONDS = 7.0  # below Docker's and the supervisor's grace period of 10 s
# Small enough for thirty laptops; checkpoint lines would be the only thing this server ever says when all is well.
SETTINGS = ("shared_buffers=32MB", "max_connections=50", "log_checkpoints=off", "log_timezone=UTC")


@dataclass(frozen=True)
class Owner:
    """The superuser and its database: the official image's POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB.

    Without a password nobody is that user by TCP.
    """

    user: str
    password: str | None
    database: str


class Cluster:
    """The cluster in `folder`/data. `account` runs the `programs`, a folder."""

    def __init__(self, folder: Path, account: Account, programs: Path) -> None:
        self.folder, self.account, self.programs = folder, account, programs
        self.data, self.unfinished = folder / "data", folder / "data.unfinished"

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").is_file()

    def create(self, owner: Owner, scripts: Sequence[Path]) -> None:
        """Makes the cluster, the database and what the scripts say, each script in one transaction.

        It gets its name last, so that a failure or a kill leaves nothing that a later start would take for a
        finished one. WorkshopError with PostgreSQL's own message when a script fails.
        """
        self._remove_unfinished()
        self.unfinished.mkdir(mode=0o700)
        self.account.own(self.unfinished)
        try:
            self._initdb(owner)
            with self._private_socket() as socket, Guard() as guard:
                quiet = ("-c", "log_min_messages=fatal")
                with self.server(guard, self.unfinished, ("-h", "", "-k", str(socket), "-p", "5432", *quiet)):
                    self._run_scripts(owner, socket, scripts)
            self.unfinished.rename(self.data)
        finally:
            self._remove_unfinished()

    def _remove_unfinished(self) -> None:
        end_orphan(self.unfinished)
        shutil.rmtree(self.unfinished, ignore_errors=True)

    def _initdb(self, owner: Owner) -> None:
        """TCP asks for the password, as in the official image; the private socket of `create` does not."""
        where = ("-D", str(self.unfinished), "-U", owner.user)
        with self._password_file(owner.password) as file:
            password = [f"--pwfile={file}"] if file else []
            self._run("initdb", *where, "--auth-local=trust", "--auth-host=scram-sha-256", *password, *LOCALE)

    @contextmanager
    def _password_file(self, password: str | None) -> Iterator[Path | None]:
        if password is None:
            yield None
            return
        file = self.folder / "password"
        file.touch(mode=0o600)
        try:
            file.write_text(password + "\n", encoding="utf-8")
            self.account.own(file)
            yield file
        finally:
            file.unlink()

    def _run_scripts(self, owner: Owner, socket: Path, scripts: Sequence[Path]) -> None:
        psql = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(socket), "-p", "5432", "-U", owner.user)
        if owner.database != "postgres":
            quoted = owner.database.replace('"', '""')
            self._run(*psql, "-d", "postgres", "-c", f'CREATE DATABASE "{quoted}"')
        for script in scripts:
            text = script.read_bytes()  # read by us: the account may not be able to
            arguments = (*psql, "-d", owner.database, "--single-transaction", "-f", "-")
            self._run(*arguments, text=text, name=str(script))

    def _run(self, program: str, *arguments: str, text: bytes = b"", name: str = "") -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=self.folder, env=environment(), **self.account.run_as(),
        )  # fmt: skip
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip().replace("psql:<stdin>", name)
            raise WorkshopError(f"{program} failed: {said}", code=1)

    @contextmanager
    def _private_socket(self) -> Iterator[Path]:
        folder = self.account.temporary_folder()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def server(
        self, guard: Guard, data: Path, where: Sequence[str], *, wait: bool = True
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A running server on `data`, stopped at the end. It is in a process group of its own, which the guard
        stops should we be killed; its log is our standard error."""
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        process = subprocess.Popen(
            [str(self.programs / "postgres"), "-D", str(data), *where, *settings],
            stdin=subprocess.DEVNULL, cwd=self.folder, env=environment(), process_group=0, **self.account.run_as(),
        )  # fmt: skip
        guard.add(process.pid, signal.SIGINT)
        try:
            if wait:
                self._wait_ready(process, data)
            yield process
        finally:
            stop(process)
            guard.remove(process.pid)

    def _wait_ready(self, process: subprocess.Popen[bytes], data: Path) -> None:
        """Until postmaster.pid says `ready` in its last line, as `pg_ctl -w` waits."""
        deadline = time.monotonic() + READY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if (data / "postmaster.pid").read_bytes().rstrip().endswith(b"ready"):
                    return
            time.sleep(0.02)
        raise WorkshopError("postgres did not start; its reason is above.", code=1)


# The C locale and UTF-8 make the same cluster on every machine.
LOCALE = ("--locale=C", "--encoding=UTF8")


def environment() -> dict[str, str]:
    """Ours without PGHOST, PGDATA and the like, which would steer the programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def stop(process: subprocess.Popen[bytes]) -> None:
    """PostgreSQL's fast shutdown (SIGINT): clients are cut off, nothing is lost; in the end by force."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(FAST_STOP_SECONDS)


def end_orphan(data: Path) -> None:
    """Stops a server that outlived its parent, and removes the pid file of one that is dead.

    PostgreSQL itself takes any living process with the recorded pid for its former self.
    """
    record = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(record.read_bytes().split()[0])
        if orphan := _server_on(data, pid):
            orphan.send_signal(signal.SIGINT)
            with contextlib.suppress(psutil.TimeoutExpired):
                orphan.wait(FAST_STOP_SECONDS)
        if orphan := _server_on(data, pid):
            orphan.kill()
            orphan.wait(FAST_STOP_SECONDS)
        record.unlink(missing_ok=True)


def _server_on(data: Path, pid: int) -> psutil.Process | None:
    """The process with this pid if it is a PostgreSQL server that works in `data`."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.name().startswith("postgres") and Path(process.cwd()) == data.resolve():
            return process
    return None
