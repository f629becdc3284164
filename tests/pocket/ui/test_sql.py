"""SQL panels: the dashboards' own queries against the real database, and no other query."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette

from pocket.config import Settings
from pocket.ui import sql
from workshop.infrastructure.account import remove

ROOT = Path(__file__).parents[3]
DICE = "SELECT identifier, faces, error_rate, shakes FROM die_specifications ORDER BY identifier"
ALL_KINDS = "SELECT now() AS t, true AS b, 1.5::numeric AS n, NULL AS z, count(*) AS c FROM die_specifications"
BROKEN, WRITES = "SELECT * FROM nowhere", "DELETE FROM die_specifications"
COPIES = "COPY die_specifications TO PROGRAM 'cat'"


@dataclass
class Database:
    folder: Path
    offset: int
    process: subprocess.Popen[bytes]


def services(port: int) -> str:
    return f"postgresql://services:theirs@127.0.0.1:{port}/dice"


async def answers(port: int) -> bool:
    """It listens before it is ready, and is ready before the table is there."""
    try:
        connection = await asyncpg.connect(services(port), timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    try:
        return bool(await connection.fetch(DICE))
    except asyncpg.UndefinedTableError:
        return False
    finally:
        connection.terminate()


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="dice-workshop-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    owner = {"POSTGRES_PASSWORD": "the superuser's", "POSTGRES_DB": "dice"}
    owner |= {"SERVICES_DATABASE_PASSWORD": "theirs", "EXPORTER_DATABASE_PASSWORD": "its"}
    owner["GRAFANA_DATABASE_PASSWORD"] = "grafana"
    where = ["--data-dir", str(folder / "pg"), "--port", str(port)]
    init = ["--init", str(ROOT / "stage5" / "postgres")]
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "workshop.infrastructure.postgres", *where, *init]
        process = subprocess.Popen(command, env=os.environ | owner, stderr=log)
    deadline = time.monotonic() + 90  # its programs may have to be copied first
    while process.poll() is None and time.monotonic() < deadline and not asyncio.run(answers(port)):
        time.sleep(0.05)
    yield Database(folder, port - 15432, process)
    process.terminate()
    process.wait(30)
    remove(folder / "pg")
    shutil.rmtree(folder)


def dashboard(tmp_path: Path, offset: int, hosts: tuple[str, ...] = ("postgres",)) -> Settings:
    targets = [{"refId": "A", "rawSql": text} for text in (DICE, ALL_KINDS, BROKEN, WRITES, COPIES)]
    panel = {"type": "table", "targets": [*targets, {"expr": "up"}]}
    (tmp_path / "d.json").write_text(json.dumps({"uid": "d", "panels": [{"type": "row"}, panel]}))
    return Settings(data_dir=tmp_path, dashboards=(tmp_path,), hosts=hosts, port_offset=offset)


def client(tmp_path: Path, offset: int, hosts: tuple[str, ...] = ("postgres",)) -> httpx.AsyncClient:
    app = Starlette(routes=sql.routes(dashboard(tmp_path, offset, hosts)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:3000")


async def ask(client: httpx.AsyncClient, text: str) -> tuple[int, dict[str, Any]]:
    answer = await client.post("/api/ds/query", json={"queries": [{"refId": "B", "rawSql": text}]})
    result: dict[str, Any] = answer.json()["results"]["B"]
    assert answer.status_code == result["status"]
    return answer.status_code, result


async def test_a_dashboards_query_answers_with_a_frame(tmp_path: Path, database: Database) -> None:
    status, result = await ask(client(tmp_path, database.offset), DICE)
    assert status == 200
    (frame,) = result["frames"]
    assert [(field["name"], field["type"]) for field in frame["schema"]["fields"]] == [
        ("identifier", "string"), ("faces", "string"), ("error_rate", "number"), ("shakes", "number"),
    ]  # fmt: skip
    rows = list(zip(*frame["data"]["values"], strict=True))
    assert rows[0] == ("fair", "{1,2,3,4,5,6}", 0, 0)
    assert [row[0] for row in rows] == ["fair", "heavy", "risky"]


async def test_kinds_of_columns(tmp_path: Path, database: Database) -> None:
    _, result = await ask(client(tmp_path, database.offset), ALL_KINDS)
    (frame,) = result["frames"]
    assert [field["type"] for field in frame["schema"]["fields"]] == [
        "time",
        "boolean",
        "number",
        "string",
        "number",
    ]
    ((at,), *others) = frame["data"]["values"]
    assert abs(at / 1000 - time.time()) < 60
    assert others == [[True], [1.5], [None], [3]]


async def test_no_other_query_is_run(tmp_path: Path, database: Database) -> None:
    status, result = await ask(client(tmp_path, database.offset), DICE + " ")
    assert (status, result["error"]) == (400, "only queries of the stage's dashboards are run")


@pytest.mark.parametrize(
    ("text", "reason"), [(BROKEN, "nowhere"), (WRITES, "read-only transaction"), (COPIES, "program")]
)
async def test_a_query_that_fails_or_writes_says_so(
    tmp_path: Path, database: Database, text: str, reason: str
) -> None:
    status, result = await ask(client(tmp_path, database.offset), text)
    assert status == 500
    assert result["error"].startswith("db query error: ")
    assert reason in result["error"]


async def test_grafanas_role_reads_and_no_more(database: Database) -> None:
    """Grafana sends any query that its user writes, and does not make the session read-only."""
    source = sql.source(Settings(data_dir=Path("/"), port_offset=database.offset))
    connection = await asyncpg.connect(**source, timeout=5)
    try:
        assert await connection.fetchval("SELECT count(*) FROM die_specifications") == 3
        for refused in (WRITES, COPIES, "SELECT rolpassword FROM pg_authid", "CREATE TABLE mine (n int)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
    finally:
        await connection.close()


async def test_a_table_that_comes_later_is_read_too(database: Database) -> None:
    owner = await asyncpg.connect(services(database.offset + 15432))
    await owner.execute("CREATE TABLE later AS SELECT 7 AS n")
    await owner.close()
    connection = await asyncpg.connect(**sql.source(Settings(data_dir=Path("/"), port_offset=database.offset)))
    assert await connection.fetchval("SELECT n FROM later") == 7
    await connection.close()


async def test_a_query_that_takes_too_long_says_so(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "QUERY_SECONDS", 0.2)
    owner = await asyncpg.connect(services(database.offset + 15432))
    async with owner.transaction():
        await owner.execute("LOCK TABLE die_specifications")
        status, result = await ask(client(tmp_path, database.offset), DICE)
    await owner.close()
    assert (status, result["error"]) == (500, "db query error: TimeoutError")


async def test_a_query_ends_when_its_caller_leaves(tmp_path: Path, database: Database) -> None:
    owner = await asyncpg.connect(services(database.offset + 15432))
    watcher = await asyncpg.connect(services(database.offset + 15432))
    body = json.dumps({"queries": [{"refId": ref, "rawSql": DICE} for ref in "ABC"]}).encode()
    messages: asyncio.Queue[Any] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": body})
    scope = {"type": "http", "method": "POST", "path": "/api/ds/query", "headers": [], "query_string": b""}
    async with owner.transaction():
        await owner.execute("LOCK TABLE die_specifications")
        app = Starlette(routes=sql.routes(dashboard(tmp_path, database.offset)))
        asked = asyncio.create_task(app(scope, messages.get, lambda _: asyncio.sleep(0)))
        await until_waiting(watcher, 1)
        messages.put_nowait({"type": "http.disconnect"})
        began = time.monotonic()
        await asked
        await until_waiting(watcher, 0)
        assert time.monotonic() - began < sql.QUERY_SECONDS / 2
        await asyncio.sleep(0.3)
        await until_waiting(watcher, 0)  # the next of them was not asked
    await owner.close()
    await watcher.close()


async def until_waiting(connection: Any, number: int) -> None:
    deadline = time.monotonic() + 30
    while await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") != number:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_stage_without_a_database_has_no_such_path(tmp_path: Path) -> None:
    answer = await client(tmp_path, 0, hosts=("dice-roller",)).post("/api/ds/query", json={"queries": []})
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})


async def test_a_database_that_is_away(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    status, result = await ask(client(tmp_path, free - 15432), DICE)
    assert status == 500
    assert "db query error" in result["error"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"queries": 1}', '{"queries": [{}]}', '{"queries": ["x"]}']
)
async def test_malformed_requests(tmp_path: Path, body: str) -> None:
    answer = await client(tmp_path, 0).post("/api/ds/query", content=body)
    assert (answer.status_code, answer.json()) == (400, {"message": "bad request data"})


def test_the_source_is_the_one_grafana_has() -> None:
    source = sql.source(Settings(data_dir=Path("/"), port_offset=100))
    assert source["port"] == 15532
    assert (source["user"], source["password"], source["database"]) == ("grafana", "grafana", "dice")


def test_the_password_is_the_compose_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_DATABASE_PASSWORD", "of my own")
    assert sql.source(Settings(data_dir=Path("/")))["password"] == "of my own"


NO_TEXTS: list[Any] = [1, None, True, 1.5, ["SELECT 1"], {"a": 1}, {}, "\ud800", "\udfff"]


@pytest.mark.parametrize(
    "query",
    [
        {"refId": "A", "rawSql": value} for value in NO_TEXTS
    ] + [{"refId": value, "rawSql": DICE} for value in NO_TEXTS],
)  # fmt: skip
async def test_what_is_no_text_is_bad_request_data(tmp_path: Path, query: dict[str, Any]) -> None:
    answer = await client(tmp_path, 0).post("/api/ds/query", content=json.dumps({"queries": [query]}))
    assert (answer.status_code, answer.json()) == (400, {"message": "bad request data"})


async def test_json_nested_without_end_is_refused(tmp_path: Path) -> None:
    answer = await client(tmp_path, 0).post("/api/ds/query", content="[" * 100_000)
    assert answer.status_code == 400


@pytest.mark.parametrize("raw", [1, None, ["x"], {"a": "b"}])
async def test_a_dashboard_with_odd_targets_breaks_nothing(tmp_path: Path, raw: Any) -> None:
    asking = client(tmp_path, 0)
    odd = {"uid": "odd", "panels": [{"targets": [{"rawSql": raw}, "x"]}, {"targets": None}, "y"]}
    (tmp_path / "odd.json").write_text(json.dumps(odd))
    status, result = await ask(asking, "SELECT 2")
    assert (status, result["error"]) == (400, "only queries of the stage's dashboards are run")


def test_a_folded_rows_panels_count(tmp_path: Path) -> None:
    inner = {"targets": [{"rawSql": DICE}]}
    folded = {"uid": "f", "panels": [{"type": "row", "collapsed": True, "panels": [inner]}]}
    (tmp_path / "f.json").write_text(json.dumps(folded))
    assert list(sql.dashboard_queries([tmp_path])) == [DICE]
