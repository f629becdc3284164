"""Images without Docker: which stand-in, with what; and a real PostgreSQL under the supervisor."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

import asyncpg
import pytest

from workshop.compose.model import Service
from workshop.paths import RunPaths
from workshop.plan.images import stand_in

from .conftest import Project

COMPOSE = """
include: [../stack/docker-compose.yml]
services:
  postgres:
    image: postgres:18.1-alpine
    command: -p 15432
    environment: {POSTGRES_PASSWORD: secret, POSTGRES_DB: dice}
    ports: ["127.0.0.1:15432:15432"]
    volumes: ["./postgres/init.sql:/docker-entrypoint-initdb.d/init.sql:ro"]
    stop_signal: SIGINT
    healthcheck: {test: [CMD, pg_isready, -p, "15432"]}
  postgres-exporter:
    image: registry.example/prometheuscommunity/postgres-exporter:v0.19.1
    environment: {DATA_SOURCE_NAME: "postgresql://postgres:secret@postgres:15432/dice?sslmode=disable"}
    ports: ["9187:9187"]
    depends_on: {postgres: {condition: service_healthy}}
"""


@pytest.mark.parametrize(
    "image", ["postgres", "postgres:18", "registry.example:5000/postgres:18.1-alpine", "postgres@sha256:abc"]
)
def test_images_are_known_by_name(image: str, tmp_path: Path) -> None:
    run = stand_in(image)
    assert run is not None
    mounts = ((tmp_path / "init.sql", "/docker-entrypoint-initdb.d/init.sql"), (tmp_path / "x", "/etc/x"))
    argv = run(Service(name="postgres", ports=(16932,), volumes=mounts), RunPaths(tmp_path))
    assert argv[1:] == (
        *("-m", "workshop.infrastructure.postgres", "--data-dir", str(tmp_path / "postgres")),
        *("--port", "16932", "--init", str(tmp_path / "init.sql")),
    )  # fmt: skip


@pytest.mark.parametrize("image", ["redis", "mypostgres", "postgres-backup:1"])
def test_others_are_not(image: str) -> None:
    assert stand_in(image) is None


def test_a_database_and_its_exporter_run_and_keep_their_data(project: Project) -> None:
    (project.root / "stage1" / "postgres").mkdir()
    script = project.root / "stage1" / "postgres" / "init.sql"
    script.write_text("CREATE TABLE seeded (n int); INSERT INTO seeded VALUES (6);")
    project.compose(COMPOSE)
    dsn = f"postgresql://postgres:secret@127.0.0.1:{15432 + project.offset}/dice"

    async def rows(statement: str) -> list[int]:
        connection = await asyncpg.connect(dsn)
        try:
            return [row["n"] for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    assert project.run("up", "1", "--detach").returncode == 0
    assert asyncio.run(rows("INSERT INTO seeded VALUES (7) RETURNING n")) == [7]
    with urllib.request.urlopen(f"http://127.0.0.1:{9187 + project.offset}/metrics", timeout=5) as answer:
        assert b"pg_up 1.0" in answer.read()
    assert project.run("down").returncode == 0
    assert project.left() == []
    assert project.run("up", "1", "--detach").returncode == 0
    assert asyncio.run(rows("SELECT n FROM seeded ORDER BY n")) == [6, 7]
    assert project.run("down", "--volumes").returncode == 0
    assert not project.data.exists()
