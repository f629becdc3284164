"""Who may do what in the stages' database, by their own scripts on the real server."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from .embedded import Database, until

SCRIPTS = Path(__file__).parents[3] / "stage5" / "postgres"
ROLES = ("services", "exporter", "grafana")
NOT_FOR_SERVICES = (
    "COPY die_specifications TO PROGRAM 'cat'",
    "COPY die_specifications FROM PROGRAM 'id'",
    "COPY die_specifications TO '/tmp/dice'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
    "CREATE ROLE another",
    "CREATE DATABASE another",
    "CREATE SCHEMA another",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x'",
    "ALTER SYSTEM SET port = 1",
    "ALTER ROLE services SUPERUSER",
    "SET ROLE postgres",
    "SET ROLE pg_execute_server_program",
    "SELECT pg_reload_conf()",
)


@pytest.fixture
def stage(database: Database) -> Iterator[Database]:
    """Passwords are the roles' names; the superuser has none."""
    database.script = SCRIPTS
    passwords = {f"{role.upper()}_DATABASE_PASSWORD": role for role in ROLES}
    with database.running(
        ready=False, POSTGRES_PASSWORD="", POSTGRES_PASSWORD_FILE="/any", POSTGRES_USER="", **passwords
    ):
        until(database.is_ready)
        yield database


async def as_role(stage: Database, role: str, *statements: str) -> list[object]:
    """What each answers: a value, or the error."""
    connection = await asyncpg.connect(
        host="127.0.0.1", port=stage.port, user=role, password=role, database="dice", timeout=10
    )
    try:
        return [await _answer(connection, statement) for statement in statements]
    finally:
        connection.terminate()


async def _answer(connection: asyncpg.Connection, statement: str) -> object:
    try:
        return await connection.fetchval(statement)
    except asyncpg.PostgresError as error:
        return error


def test_the_services_have_their_tables_and_no_more(stage: Database) -> None:
    refused = asyncio.run(as_role(stage, "services", *NOT_FOR_SERVICES))
    allowed = [
        statement
        for statement, answer in zip(NOT_FOR_SERVICES, refused, strict=True)
        if not isinstance(answer, asyncpg.InsufficientPrivilegeError)
    ]
    assert allowed == []
    attributes = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
    any_power, memberships, owner, made, seen = asyncio.run(
        as_role(
            stage,
            "services",
            f"SELECT {attributes} FROM pg_roles WHERE rolname = 'services'",
            "SELECT count(*) FROM pg_auth_members WHERE member = 'services'::regrole",
            "SELECT tableowner FROM pg_tables WHERE tablename = 'die_specifications'",
            "CREATE TABLE usage_events (event_id uuid PRIMARY KEY)",
            "SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid() AND query <> ''",
        )
    )
    assert (any_power, memberships, owner, made, seen) == (False, 0, "services", None, 1)
    assert asyncio.run(as_role(stage, "grafana", "SELECT count(*) FROM usage_events")) == [0]


def test_the_exporter_has_figures_and_grafana_reads(stage: Database) -> None:
    size, table = asyncio.run(
        as_role(stage, "exporter", "SELECT pg_database_size('template0')", "TABLE die_specifications")
    )
    assert isinstance(size, int)
    assert isinstance(table, asyncpg.InsufficientPrivilegeError)
    count, write = asyncio.run(
        as_role(stage, "grafana", "SELECT count(*) FROM die_specifications", "DELETE FROM die_specifications")
    )
    assert count == 3
    assert isinstance(write, asyncpg.InsufficientPrivilegeError)


@pytest.mark.parametrize("user", ["postgres", "dice"])
def test_nobody_is_the_superuser_by_tcp(stage: Database, user: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(as_role(stage, user, "SELECT 1"))


def test_both_stages_have_the_same_scripts() -> None:
    later = SCRIPTS.parents[1] / "stage6" / "postgres"
    done = subprocess.run(["diff", "-r", str(SCRIPTS), str(later)], capture_output=True, text=True)
    assert done.stdout == ""
