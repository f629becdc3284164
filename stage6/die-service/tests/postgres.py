"""The stage's own PostgreSQL: its scripts on the server that the workshop runs without Docker, and its role."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg

SCRIPTS = Path(__file__).parents[2] / "postgres"
PASSWORD = "it's a test"
DEADLINE = 90.0


class Postgres:
    """On a port of its own; the data stay from `stop` to `start`."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.folder: Path | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "services",
            "PGDATABASE": "dice",
            "PGPASSWORD": PASSWORD,
        }

    def start(self) -> None:
        if self.process is not None:
            return
        if (
            self.folder is None
        ):  # not pytest's, which is closed to the user that the server runs as when we are root
            self.folder = Path(tempfile.mkdtemp(prefix="dice-workshop-test-", dir="/var/tmp"))
            self.folder.chmod(0o755)
        owner = {"POSTGRES_PASSWORD": "of the superuser", "POSTGRES_DB": "dice"}
        for role in ("SERVICES", "EXPORTER", "GRAFANA"):
            owner[f"{role}_DATABASE_PASSWORD"] = PASSWORD
        where = ["--data-dir", str(self.folder / "pg"), "--port", str(self.port), "--init", str(SCRIPTS)]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workshop.infrastructure.postgres", *where],
                env=os.environ | owner, stderr=log,
            )  # fmt: skip
        self._wait_ready(self.process, self.folder / "log")

    def _wait_ready(self, process: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self.query("SELECT 1")
            except (OSError, asyncpg.CannotConnectNowError):
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"PostgreSQL did not start: {log.read_text(encoding='utf-8')}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(DEADLINE) == 0
            self.process = None

    def query(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=self.port, user="services", password=PASSWORD, database="dice"
            )
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                connection.terminate()

        with asyncio.Runner() as runner:
            return runner.run(ask())

    def remove(self) -> None:
        self.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder)
