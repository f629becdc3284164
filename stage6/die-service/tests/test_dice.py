import asyncio

import asyncpg
import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from postgres import Postgres
from prometheus_client import REGISTRY

import database
from database_telemetry import PoolExhaustedError


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_the_list_of_dice(client: httpx.AsyncClient) -> None:
    before = value("die_list_requests_total")
    assert (await client.get("/dice")).json() == {"identifiers": ["fair", "risky", "heavy"]}
    assert value("die_list_requests_total") == before + 1


async def test_a_specification(client: httpx.AsyncClient) -> None:
    before = value("die_specifications_requested_total", die_type="risky")
    answer = await client.get("/dice/risky")
    assert answer.json() == {"identifier": "risky", "faces": [2, 3, 4, 5, 6, 7], "error_rate": 0.1, "shakes": 0}
    assert value("die_specifications_requested_total", die_type="risky") == before + 1


async def test_the_heavy_die_is_heavy(client: httpx.AsyncClient) -> None:
    assert (await client.get("/dice/heavy")).json()["shakes"] > 0


async def test_an_unknown_die_names_those_there_are(client: httpx.AsyncClient) -> None:
    before = value("die_specifications_requested_total", die_type="unknown")
    answer = await client.get("/dice/golden")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is no die 'golden'. There are: fair, risky, heavy."}
    assert value("die_specifications_requested_total", die_type="unknown") == before + 1


@pytest.mark.parametrize("name", ["FAIR", "fair%20", "%0A", "%F0%9F%8E%B2", "x" * 33])
async def test_a_malformed_name_is_refused(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/dice/{name}")).status_code == 422


@pytest.mark.parametrize(("die", "found"), [("fair", True), ("golden", False)])
async def test_the_span_says_what_was_found(
    client: httpx.AsyncClient, spans: InMemorySpanExporter, die: str, found: bool
) -> None:
    await client.get(f"/dice/{die}")
    (span,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    attributes = span.attributes or {}
    assert (attributes["dice.die_type"], attributes["dice.die_found"]) == (die, found)


async def test_the_root_names_service_stage_and_endpoints(client: httpx.AsyncClient) -> None:
    body = (await client.get("/")).json()
    assert (body["name"], body["stage"]) == ("die-service", "test")
    for endpoint in body["endpoints"]:
        assert (await client.get(endpoint)).status_code == 200


async def test_the_query_is_a_child_of_the_request(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    await client.get("/dice/fair")
    named = {span.name: span for span in spans.get_finished_spans()}
    server, query = named["GET /dice/{identifier}"], named["SELECT"]
    assert query.parent is not None
    assert query.parent.span_id == server.context.span_id
    assert "WHERE identifier = $1" in str((query.attributes or {})["db.query.text"])


async def test_a_die_added_to_the_database_is_there_at_once(postgres: Postgres, client: httpx.AsyncClient) -> None:
    insert = "INSERT INTO die_specifications VALUES ('cube', '{1}', 0, 0)"
    await asyncio.to_thread(postgres.query, insert)
    try:
        assert (await client.get("/dice/cube")).json()["faces"] == [1]
        assert await healthy_with(client, 4)
    finally:
        await asyncio.to_thread(postgres.query, "DELETE FROM die_specifications WHERE identifier = 'cube'")
    assert (await client.get("/dice/cube")).status_code == 404
    assert await healthy_with(client, 3)


async def test_a_busy_database_still_has_its_dice(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await healthy_with(client, 3)

    async def exhausted(pool: asyncpg.Pool) -> asyncpg.Connection:
        raise PoolExhaustedError

    monkeypatch.setattr(database, "acquire", exhausted)
    assert (await client.get("/dice/fair")).status_code == 503
    assert value("die_specifications_loaded") == 3


async def healthy_with(client: httpx.AsyncClient, dice: int) -> bool:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    return value("die_specifications_loaded") == dice


@pytest.mark.parametrize("path", ["/dice", "/dice/fair", "/dice/golden", "/healthz"])
async def test_without_a_database_the_answer_is_503_until_it_is_back(
    server: Postgres, client: httpx.AsyncClient, path: str
) -> None:
    await asyncio.to_thread(server.stop)
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {"detail": "The database is not available (ConnectionRefusedError)."}
    assert value("die_specifications_loaded") == 0
    await asyncio.to_thread(server.start)
    assert (await client.get(path)).status_code == (404 if path == "/dice/golden" else 200)


async def test_an_outage_is_in_trace_log_and_metric(
    server: Postgres, client: httpx.AsyncClient, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(server.stop)
    before = value("database_queries_total", query_type="get", result="unavailable")
    await client.get("/dice/fair")
    connect, acquire, request = spans.get_finished_spans()
    assert {span.status.status_code for span in (connect, acquire, request)} == {StatusCode.ERROR}
    assert {span.context.trace_id for span in (connect, acquire, request)} == {request.context.trace_id}
    assert [record.message for record in caplog.records] == ["query failed"]
    assert value("database_queries_total", query_type="get", result="unavailable") == before + 1


async def test_every_die_is_one_the_roller_can_roll(client: httpx.AsyncClient) -> None:
    for identifier in (await client.get("/dice")).json()["identifiers"]:
        assert (await client.get(f"/dice/{identifier}")).status_code == 200


@pytest.mark.parametrize(
    "values",
    [
        "'x', '{}', 0, 0", "'x', '{-1}', 0, 0", "'x', '{1000001}', 0, 0", "'x', '{1,NULL}', 0, 0",
        "'x', '{{1},{2}}', 0, 0", "'x', array_fill(1, '{101}'), 0, 0", "'x', '{1}', 2, 0", "'x', '{1}', 'NaN', 0",
        "'x', '{1}', 0, -1", "'x', '{1}', 0, 1001", "'The X', '{1}', 0, 0", "'fair', '{1}', 0, 0",
    ],
)  # fmt: skip
async def test_the_schema_refuses_dice_that_make_no_sense(postgres: Postgres, values: str) -> None:
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.UniqueViolationError)):
        await asyncio.to_thread(postgres.query, f"INSERT INTO die_specifications VALUES ({values})")
