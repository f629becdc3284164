"""What a run writes is its owner's alone, and its database's passwords are known to nobody before it is made."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from workshop.errors import WorkshopError
from workshop.paths import RunPaths
from workshop.plan import passwords
from workshop.psql import passwords_in_force

from .conftest import Project

ROOT = Path(__file__).parents[2]
COMPOSE = """
include: [../stack/docker-compose.yml]
services:
  postgres:
    image: postgres:18
    environment:
      POSTGRES_DB: dice
      POSTGRES_PASSWORD_FILE: /proc/sys/kernel/random/uuid
      SERVICES_DATABASE_PASSWORD: ${SERVICES_DATABASE_PASSWORD:-known}
      EXPORTER_DATABASE_PASSWORD: ${EXPORTER_DATABASE_PASSWORD:-known}
      GRAFANA_DATABASE_PASSWORD: ${GRAFANA_DATABASE_PASSWORD:-known}
    ports: ["127.0.0.1:15432:15432"]
    volumes: ["./postgres:/docker-entrypoint-initdb.d:ro"]
  one:
    build: one
    command: python service.py
    environment: {PORT: "8001", PGPASSWORD: "${SERVICES_DATABASE_PASSWORD:-known}"}
    ports: ["127.0.0.1:8001:8001"]
"""


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def with_database(project: Project) -> Project:
    project.compose(COMPOSE)
    shutil.copytree(ROOT / "stage5" / "postgres", project.root / "stage1" / "postgres")
    return project


def open_to_others(folder: Path) -> list[str]:
    """Files that others can read or write by their own mode, and folders that others can list."""
    return [
        f"{stat.filemode(path.stat().st_mode)} {path.relative_to(folder)}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o066
    ]


@pytest.mark.usefixtures("open_umask")
def test_nothing_of_a_run_is_open_to_others(with_database: Project) -> None:
    assert with_database.run("up", "1", "--detach").returncode == 0
    assert {"run.json", "logs", "pocket", "postgres"} <= {path.name for path in with_database.data.iterdir()}
    assert open_to_others(with_database.data) == []


@pytest.mark.usefixtures("open_umask")
def test_what_an_older_version_left_open_is_closed(project: Project) -> None:
    for name in ("logs", "pocket"):
        (project.data / name).mkdir(parents=True)
    (project.data / "logs" / "one.log").touch()
    assert project.run("up", "1", "--detach").returncode == 0
    for name in ("logs", "pocket"):
        assert stat.S_IMODE((project.data / name).stat().st_mode) == 0o700


def test_the_services_get_a_password_that_was_made_with_the_data(with_database: Project) -> None:
    up = with_database.run("up", "1", "--detach")
    assert up.returncode == 0, up.stderr
    made = json.loads((with_database.data / "postgres" / "passwords.json").read_text())
    assert set(made) == set(passwords.NAMES)
    assert len({*made.values(), "known"}) == 4
    with urllib.request.urlopen(f"http://127.0.0.1:{8001 + with_database.offset}/", timeout=5) as answer:
        assert f"'PGPASSWORD': '{made['SERVICES_DATABASE_PASSWORD']}'" in answer.read().decode()
    assert asyncio.run(logs_in(with_database, made["SERVICES_DATABASE_PASSWORD"]))
    assert not asyncio.run(logs_in(with_database, "known"))
    told = up.stdout + up.stderr + with_database.run("status", "--json").stdout + with_database.run("logs").stdout
    told += (with_database.data / "run.json").read_text()
    assert [name for name, password in made.items() if password in told] == []
    with_database.run("down")
    assert with_database.run("up", "1", "--detach").returncode == 0
    assert asyncio.run(logs_in(with_database, made["SERVICES_DATABASE_PASSWORD"]))
    assert with_database.run("down", "--volumes").returncode == 0
    assert not with_database.data.exists()


async def logs_in(project: Project, password: str) -> bool:
    at = {"host": "127.0.0.1", "port": 15432 + project.offset, "database": "dice"}
    try:
        connection = await asyncpg.connect(**at, user="services", password=password, timeout=5)
    except asyncpg.InvalidPasswordError:
        return False
    await connection.close()
    return True


def test_a_database_of_an_older_version_is_told_in_a_line(with_database: Project) -> None:
    (with_database.data / "postgres" / "data").mkdir(parents=True)
    up = with_database.run("up", "1", "--detach")
    assert up.returncode == 1
    assert up.stderr.count("\n") == 1
    assert f"down --volumes --port-offset {with_database.offset}" in up.stderr
    assert with_database.run("down", "--volumes").returncode == 0
    assert with_database.run("up", "1", "--detach").returncode == 0


def test_passwords_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_DATABASE_PASSWORD", "of my own")
    paths = RunPaths(tmp_path / "run")
    assert passwords.stored(paths) == {}
    passwords.make(paths, 0)
    first = passwords.stored(paths)
    assert first["GRAFANA_DATABASE_PASSWORD"] == "of my own"
    passwords.make(paths, 0)
    assert passwords.stored(paths) == first
    assert passwords_in_force(paths) == {}  # nothing runs
    assert [path.name for path in paths.postgres.iterdir()] == ["passwords.json"]
    assert stat.S_IMODE(paths.passwords.stat().st_mode) == 0o600
    paths.passwords.unlink()
    (paths.postgres / "lock").touch()
    with pytest.raises(WorkshopError, match="older version"):
        passwords.make(paths, 0)
