"""The exporter tells the truth about the real server, also when there is none."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from workshop.errors import WorkshopError
from workshop.infrastructure.postgres_exporter import data_source

from .embedded import DEADLINE, PASSWORD, Database, free_port, until

COMMAND = [sys.executable, "-m", "workshop.infrastructure.postgres_exporter"]
SHOWN = ("datid", "datname", "state")
Samples = dict[str, dict[tuple[str, ...], float]]


@contextmanager
def exporter(port: int, **variables: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, f"--web.listen-address=0.0.0.0:{port}"],
        env=os.environ | variables, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=DEADLINE)


def scrape(port: int) -> Samples:
    """Family → the values of its labels in the order of their names → value; empty while nothing listens."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE) as answer:
            text = answer.read().decode()
    except URLError:
        return {}
    return {
        family.name: {
            tuple(value for name, value in sorted(s.labels.items()) if name in SHOWN): s.value
            for s in family.samples
        }
        for family in text_string_to_metric_families(text)
    }


def test_what_it_says_of_a_running_server(database: Database) -> None:
    source = {"DATA_SOURCE_URI": f"127.0.0.1:{database.port}/dice?sslmode=disable", "DATA_SOURCE_USER": "dice"}
    port = free_port()
    with database.running(), exporter(port, **source, DATA_SOURCE_PASS=PASSWORD) as process:
        found = until(lambda: scrape(port))
        assert found["pg_up"] == {(): 1}
        assert {name for _, name in found["pg_stat_database_numbackends"]} == {
            "dice", "postgres", "template0", "template1",
        }  # fmt: skip
        assert [n for (_, name), n in found["pg_stat_database_numbackends"].items() if name == "dice"] == [1]
        assert found["pg_stat_activity_count"]["dice", "active"] == 0  # its own connection is not counted
        with database.connected():
            assert scrape(port)["pg_stat_activity_count"]["dice", "idle"] == 1
        assert found["pg_stat_activity_count"]["dice", "idle in transaction"] == 0
        assert found["pg_database_size_bytes"]["dice",] == database.query("SELECT pg_database_size('dice')")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_a_server_that_goes_and_comes_back(database: Database) -> None:
    port = free_port()
    source = f"postgresql://dice:it%27s%20a%20%22secret%22@127.0.0.1:{database.port}/dice"
    with exporter(port, DATA_SOURCE_NAME=source) as process:
        assert until(lambda: scrape(port)) == {"pg_up": {(): 0}}
        with database.running():
            assert scrape(port)["pg_up"] == {(): 1}
        assert scrape(port) == {"pg_up": {(): 0}}
        process.terminate()
        _, log = process.communicate(timeout=DEADLINE)
    said = re.findall(r"the database is (\w+)", log)
    assert said == ["down", "up", "down"]
    assert "secret" not in log


def test_a_refused_password_is_down(database: Database) -> None:
    port = free_port()
    with (
        database.running(),
        exporter(port, DATA_SOURCE_NAME=f"postgresql://dice:no@127.0.0.1:{database.port}/dice"),
    ):
        assert until(lambda: scrape(port)) == {"pg_up": {(): 0}}


def test_the_data_source_by_parts() -> None:
    parts = {"DATA_SOURCE_URI": "h:1/db", "DATA_SOURCE_USER": "me@home", "DATA_SOURCE_PASS": "a/b:c"}
    assert data_source(parts) == "postgresql://me%40home:a%2Fb%3Ac@h:1/db"
    assert data_source(parts | {"DATA_SOURCE_NAME": "postgresql://x"}) == "postgresql://x"
    with pytest.raises(WorkshopError, match="must say where"):
        data_source({})


@pytest.mark.parametrize(
    ("address", "reason"), [("0.0.0.0:many", "needs \\[host\\]:port"), ("127.0.0.1:{taken}", "cannot listen")]
)
def test_an_address_it_cannot_have_is_said_in_a_line(address: str, reason: str) -> None:
    with exporter(taken := free_port(), DATA_SOURCE_URI="h:1/db"):
        until(lambda: scrape(taken))
        done = subprocess.run(
            [*COMMAND, f"--web.listen-address={address.format(taken=taken)}"],
            env=os.environ | {"DATA_SOURCE_URI": "h:1/db"}, capture_output=True, text=True, timeout=DEADLINE,
        )  # fmt: skip
    assert done.returncode == 1
    assert re.match(f"postgres_exporter: .*{reason}", done.stderr)
    assert done.stderr.count("\n") == 1
