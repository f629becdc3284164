"""Grafana's query endpoint for the one SQL data source there is, so far as the dashboards need it.

It runs the queries that the dashboards hold, word by word, and no other: what the page sends only says which.
Where the database is comes from Grafana's own provisioning, so that both stacks ask the same one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from string import Template
from typing import Any

import asyncpg
import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pocket.addresses import LOOPBACK
from pocket.asgi.departure import departure
from pocket.config import Settings
from pocket.ui.dashboards import Dashboard, load

PROVISIONED = Path(__file__).parents[2] / "grafana" / "provisioning" / "datasources" / "datasources.yaml"
UID = "postgres"
HOST = "postgres"  # the service that has to be in the stage
CONNECT_SECONDS, QUERY_SECONDS = 2.0, 5.0
MAX_ROWS = 1000
DEFAULTS = {"GRAFANA_DATABASE_PASSWORD": "grafana"}  # as in the compose files
SESSION = {"default_transaction_read_only": "on"}  # whatever a dashboard says, and whatever the role may do
Answer = dict[str, Any]


def routes(settings: Settings) -> list[Route]:
    """`POST /api/ds/query`, `{queries: [{refId, rawSql}]}` → `{results: {refId: {status, frames | error}}}`."""

    async def query(request: Request) -> JSONResponse:
        if HOST not in settings.hosts:  # as any path that is not there
            return JSONResponse({"message": "Not found"}, status_code=404)
        try:
            asked = [(_text(each["refId"]), _text(each["rawSql"])) for each in (await request.json())["queries"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return JSONResponse({"message": "bad request data"}, status_code=400)
        async with departure(request) as gone:
            answering = asyncio.create_task(_results(settings, asked))
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                answering.cancel()
                return JSONResponse({"message": "the caller has gone"}, status_code=499)
        results = answering.result()
        worst = max((result["status"] for result in results.values()), default=200)
        return JSONResponse({"results": results}, status_code=worst)

    return [Route("/api/ds/query", query, methods=["POST"])]


def dashboard_queries(folders: Sequence[Path]) -> Iterator[str]:
    """The text of every SQL target, also of panels that a folded row holds."""
    for dashboard in load(folders):
        for panel in _panels(dashboard):
            for target in panel.get("targets") or ():
                if isinstance(target, dict) and isinstance(target.get("rawSql"), str):
                    yield target["rawSql"]


def _panels(holder: Dashboard) -> Iterator[Dashboard]:
    for panel in holder.get("panels") or ():
        if isinstance(panel, dict):
            yield panel
            yield from _panels(panel)


def _text(value: Any) -> str:
    """Text that an answer can quote; ValueError for anything else, half a surrogate pair among it."""
    if not isinstance(value, str):
        raise ValueError(value)
    value.encode()
    return value


async def _results(settings: Settings, asked: Sequence[tuple[str, str]]) -> dict[str, Answer]:
    known = await run_in_threadpool(lambda: set(dashboard_queries(settings.dashboards)))
    return {ref: await _result(settings, ref, text, known) for ref, text in asked}


async def _result(settings: Settings, ref: str, text: str, known: set[str]) -> Answer:
    if text not in known:
        return {"status": 400, "error": "only queries of the stage's dashboards are run"}
    try:
        return {"status": 200, "frames": [frame(ref, *await _fetch(settings, text))]}
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return {"status": 500, "error": f"db query error: {str(error) or type(error).__name__}"}


async def _fetch(settings: Settings, text: str) -> tuple[list[str], list[asyncpg.Record]]:
    connection = await asyncpg.connect(**source(settings), timeout=CONNECT_SECONDS, server_settings=SESSION)
    try:
        statement = await connection.prepare(text, timeout=QUERY_SECONDS)
        rows = await statement.fetch(timeout=QUERY_SECONDS)
        return [attribute.name for attribute in statement.get_attributes()], rows[:MAX_ROWS]
    finally:  # not terminate(): that takes back the request to cancel which a time-out or a departure makes
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=CONNECT_SECONDS)


def source(settings: Settings) -> dict[str, Any]:
    """asyncpg's arguments for the data source that Grafana is provisioned with, moved to this machine."""
    provisioned = yaml.safe_load(PROVISIONED.read_text(encoding="utf-8"))["datasources"]
    found = next(each for each in provisioned if each["uid"] == UID)
    return {
        "host": LOOPBACK,
        "port": int(found["url"].rpartition(":")[2]) + settings.port_offset,
        "user": found["user"],
        "password": Template(found["secureJsonData"]["password"]).substitute(DEFAULTS | os.environ),
        "database": found["jsonData"]["database"],
    }


def frame(ref: str, names: Sequence[str], rows: Sequence[asyncpg.Record]) -> Answer:
    """Grafana's data frame: a list a column. Times are milliseconds, arrays PostgreSQL's text for them."""
    columns = [[row[index] for row in rows] for index in range(len(names))]
    fields = [{"name": name, "type": kind(column)} for name, column in zip(names, columns, strict=True)]
    return {
        "schema": {"refId": ref, "fields": fields},
        "data": {"values": [[cell(value) for value in column] for column in columns]},
    }


def kind(column: Sequence[Any]) -> str:
    """Grafana's type of a column, by its first value that is not null."""
    example = next((value for value in column if value is not None), None)
    if isinstance(example, bool):
        return "boolean"
    if isinstance(example, datetime):
        return "time"
    return "number" if isinstance(example, int | float | Decimal) else "string"


def cell(value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return "{" + ",".join(str(cell(each)) for each in value) + "}"
    return str(value)
