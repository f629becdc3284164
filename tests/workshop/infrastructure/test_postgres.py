"""The embedded PostgreSQL: made once and whole, stopped fast, and never left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
from pathlib import Path

import asyncpg
import psutil
import pytest

from workshop.infrastructure import account

from .embedded import DEADLINE, PASSWORD, SCRIPT, Database, until


def test_the_script_runs_once_and_data_stay(database: Database) -> None:
    with database.running():
        assert database.query("SELECT count(*) FROM t") == 2
        database.query("INSERT INTO t VALUES (3)")
    with database.running() as process:
        assert database.query("SELECT count(*) FROM t") == 3
        assert str(database.query("SELECT version()")).startswith("PostgreSQL 18")
    assert process.returncode == 0


def test_tcp_asks_for_the_password(database: Database) -> None:
    with database.running():
        with pytest.raises(asyncpg.InvalidPasswordError):
            database.query("SELECT 1", password="dice")
        (server,) = database.servers()
        listening = {c.laddr.ip for c in server.net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_superuser_without_a_password_is_nobody_by_tcp(database: Database) -> None:
    with database.running(ready=False, POSTGRES_PASSWORD="", POSTGRES_PASSWORD_FILE="/anything"):
        until(database.is_ready)
        for guess in ("dice", "postgres", PASSWORD):
            with pytest.raises(asyncpg.InvalidPasswordError):
                database.query("SELECT 1", password=guess)


def test_a_stop_cuts_clients_off_and_is_clean(database: Database) -> None:
    with database.running() as process, socket.create_connection(("127.0.0.1", database.port)):
        process.send_signal(signal.SIGTERM)
        log = database.log_at_end(process)
    assert process.returncode == 0
    assert "received fast shutdown request" in log
    assert database.servers() == []


def test_a_parent_killed_leaves_no_server_and_loses_nothing(database: Database) -> None:
    with database.running() as process:
        database.query("INSERT INTO t VALUES (3)")
        process.kill()
        until(lambda: not database.servers())
    with database.running():
        assert database.query("SELECT count(*) FROM t") == 3


def test_parent_and_guard_killed_the_next_start_takes_over(database: Database) -> None:
    with database.running() as process:
        database.query("INSERT INTO t VALUES (3)")
        (guard,) = [p for p in psutil.Process(process.pid).children() if p.name() != "postgres"]
        guard.kill()
        process.kill()
        process.wait()
    (orphan,) = database.servers()
    with database.running():
        until(lambda: not orphan.is_running())  # until then it is the orphan that answers
        until(database.accepts)
        assert database.query("SELECT count(*) FROM t") == 3


def test_a_killed_server_ends_its_parent_and_recovers(database: Database) -> None:
    with database.running() as process:
        database.query("INSERT INTO t VALUES (3)")
        (server,) = database.servers()
        server.kill()
        process.wait(DEADLINE)
        assert process.returncode != 0
    with database.running():
        assert database.query("SELECT count(*) FROM t") == 3


def test_a_stale_pid_file_that_names_a_stranger_is_no_hindrance(database: Database) -> None:
    with database.running():
        pass
    record = database.data / "data" / "postmaster.pid"
    record.write_text(f"{os.getpid()}\n{record.parent}\n0\n{database.port}\n\n127.0.0.1\n0 0\nready\n")
    with database.running():
        assert database.query("SELECT count(*) FROM t") == 2


def test_a_broken_script_leaves_nothing_and_says_where(database: Database) -> None:
    database.script.write_text("CREATE TABLE t (a int);\nINSERT INTO t VALUES ('many');\n")
    with database.running() as process:
        log = database.log_at_end(process)
    assert process.returncode == 1
    assert f'{database.script}:2: ERROR:  invalid input syntax for type integer: "many"' in log
    assert log.count("\n") <= 4
    assert sorted(path.name for path in database.data.iterdir()) == ["lock"]
    database.script.write_text(SCRIPT)
    with database.running():
        assert database.query("SELECT count(*) FROM t") == 2


def test_killed_while_it_is_made_it_starts_afresh(database: Database) -> None:
    database.script.write_text("SELECT pg_sleep(60);")
    with database.running(ready=False) as process:
        until(lambda: (database.data / "data.unfinished" / "PG_VERSION").exists() and database.servers())
        process.kill()
        until(lambda: not database.servers())
    database.script.write_text(SCRIPT)
    with database.running():
        assert database.query("SELECT count(*) FROM t") == 2
    assert not (database.data / "data.unfinished").exists()


def test_one_server_for_a_data_folder(database: Database) -> None:
    with database.running(), database.running() as second:
        log = database.log_at_end(second)
        assert database.accepts()
    assert second.returncode == 1
    assert log == f"postgres: another PostgreSQL runs on {database.data}: stop it first.\n"


@pytest.mark.parametrize(
    ("variables", "script", "reason"),
    [
        ({"POSTGRES_PASSWORD": ""}, SCRIPT, "postgres: POSTGRES_PASSWORD is missing"),
        ({}, None, "postgres: {script} does not exist."),
    ],
)
def test_what_is_missing_is_said_in_a_line(
    database: Database, variables: dict[str, str], script: str | None, reason: str
) -> None:
    if script is None:
        database.script.unlink()
    with database.running(ready=True, **variables) as process:
        log = database.log_at_end(process)
    assert process.returncode == 1
    assert log.startswith(reason.format(script=database.script))
    assert log.count("\n") == 1


def test_a_taken_port_ends_it_with_the_servers_reason(database: Database) -> None:
    with socket.create_server(("127.0.0.1", database.port)), database.running(ready=False) as process:
        log = database.log_at_end(process)
    assert process.returncode == 1
    assert 'could not bind IPv4 address "127.0.0.1": Address already in use' in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_below_a_closed_folder_the_data_lie_outside_and_modes_stay(database: Database) -> None:
    database.folder.chmod(0o700)
    with database.running():
        assert database.query("SELECT count(*) FROM t") == 2
    outside = Path((database.data / "elsewhere").read_text().strip())
    assert (outside / "data" / "PG_VERSION").is_file()
    assert stat.S_IMODE(database.folder.stat().st_mode) == 0o700
    shutil.rmtree(database.data)  # what `down --volumes` removes: the next start is a fresh one
    database.script.write_text("CREATE TABLE u (a int);")
    with database.running():
        assert database.query("SELECT count(*) FROM u") == 0
    account.remove(database.data)
    assert not outside.exists()
