"""A PostgreSQL of a test's own, as the command that a stage runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import asyncpg
import psutil

DEADLINE = 90.0  # its programs may have to be copied first
T = TypeVar("T")
PASSWORD = 'it\'s a "secret"'
SCRIPT = "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def until(what: Callable[[], T | None]) -> T:
    """What `what` finds, as soon as it finds something."""
    deadline = time.monotonic() + DEADLINE
    while not (found := what()):
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.05)
    return found


class Database:
    """A data folder, a port, and the command that serves them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.port = folder, folder / "pg", free_port()
        self.script = folder / "init.sql"
        self.script.write_text(SCRIPT)
        self._log = folder / "log"

    @contextmanager
    def running(self, *, ready: bool = True, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        owner = {"POSTGRES_USER": "dice", "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "dice"}
        arguments = ["--data-dir", str(self.data), "--port", str(self.port), "--init", str(self.script)]
        with self._log.open("wb") as log:  # no pipe: an orphan would keep it open
            process = subprocess.Popen(
                [sys.executable, "-m", "workshop.infrastructure.postgres", *arguments],
                env=os.environ | owner | variables, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            if ready:
                until(lambda: process.poll() is not None or self.accepts())
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE)

    def log_at_end(self, process: subprocess.Popen[bytes]) -> str:
        process.wait(DEADLINE)
        return self._log.read_text()

    def accepts(self) -> bool:
        try:
            return self.query("SELECT true") is True
        except (OSError, asyncpg.CannotConnectNowError):
            return False

    def is_ready(self) -> bool:
        """By the server's own record, for one that lets nobody in."""
        with contextlib.suppress(FileNotFoundError):
            return (self.data / "data" / "postmaster.pid").read_text().rstrip().endswith("ready")
        return False

    @contextmanager
    def connected(self) -> Iterator[None]:
        """One more connection, idle."""
        with asyncio.Runner() as runner:
            connection = runner.run(self._connect(PASSWORD))
            runner.run(connection.execute("SELECT 1"))
            yield
            connection.terminate()

    async def _connect(self, password: str) -> asyncpg.Connection:
        at = {"host": "127.0.0.1", "port": self.port, "user": "dice", "database": "dice"}
        return await asyncpg.connect(**at, password=password, timeout=5)

    def query(self, sql: str, password: str = PASSWORD) -> object:
        async def ask() -> object:
            connection = await self._connect(password)
            try:
                return await connection.fetchval(sql)
            finally:
                connection.terminate()

        return asyncio.run(ask())

    def servers(self) -> list[psutil.Process]:
        """The postmasters that work in this data folder."""
        mine = {str(self.data / "data"), str(self.data / "data.unfinished")}
        found = [p for p in psutil.process_iter(["name", "cmdline"]) if p.info["name"] == "postgres"]
        return [process for process in found if mine & set(process.info["cmdline"] or [])]
