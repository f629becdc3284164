"""The service against the real database: what is stored, what is refused, what is said meanwhile."""

import asyncio
import gzip
import logging
import uuid
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToJson
from google.rpc.status_pb2 import Status
from lines import line, request
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from postgres import Postgres
from prometheus_client import REGISTRY

from main import database
from store import UsageStore

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json; charset=utf-8"}


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"usage_events_{name}_total", labels) or 0


async def send(client: httpx.AsyncClient, *bodies: dict[str, Any] | str) -> httpx.Response:
    return await client.post("/v1/logs", content=request(*bodies).SerializeToString(), headers=PROTOBUF)


def refusal(answer: httpx.Response) -> str:
    return Status.FromString(answer.content).message


async def test_events_are_stored_with_all_they_say(postgres: Postgres, client: httpx.AsyncClient) -> None:
    before = metric("stored", event="roll"), metric("stored", event="sign_in")
    answer = await send(client, first := line(), line(event="sign_in", die_type=None))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert ExportLogsServiceResponse.FromString(answer.content) == ExportLogsServiceResponse()
    assert (metric("stored", event="roll"), metric("stored", event="sign_in")) == (before[0] + 1, before[1] + 1)
    rows = await asyncio.to_thread(
        postgres.query,
        "SELECT username, attributes->>'die_type' AS die, occurred_at FROM usage_events WHERE event_id = $1",
        uuid.UUID(first["event_id"]),
    )
    assert [(row["username"], row["die"], row["occurred_at"].isoformat()) for row in rows] == [
        ("Ada", "fair", "2026-01-02T03:04:05.678000+00:00")
    ]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["protobuf", "json"])
async def test_both_encodings_packed_or_not(
    postgres: Postgres, client: httpx.AsyncClient, kind: str, packed: bool
) -> None:
    message = request(line())
    content = message.SerializeToString() if kind == "protobuf" else MessageToJson(message).encode()
    headers = (PROTOBUF if kind == "protobuf" else JSON) | ({"content-encoding": "gzip"} if packed else {})
    answer = await client.post("/v1/logs", content=gzip.compress(content) if packed else content, headers=headers)
    assert answer.status_code == 200
    assert answer.content == (b"" if kind == "protobuf" else b"{}")
    assert (await client.get("/usage/summary")).json()["total"] == 1


async def test_ids_of_otlp_json_are_hex(postgres: Postgres, client: httpx.AsyncClient) -> None:
    content = MessageToJson(request(line())).replace(
        '"body"', '"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "new": 1, "body"'
    )
    assert (await client.post("/v1/logs", content=content, headers=JSON)).status_code == 200
    assert (await client.get("/usage/summary")).json()["total"] == 1


async def test_the_same_event_twice_is_stored_once(postgres: Postgres, client: httpx.AsyncClient) -> None:
    before, stored = metric("duplicate"), metric("stored", event="roll")
    twice = line()
    assert (await send(client, twice)).status_code == 200
    assert (await send(client, twice, line())).status_code == 200
    assert (
        await send(client, *[line(event_id=str(uuid.UUID(int=7)), user=user) for user in "AB"])
    ).status_code == 200
    assert (metric("duplicate"), metric("stored", event="roll")) == (before + 2, stored + 3)
    assert (await client.get("/usage/summary")).json()["total"] == 3


async def test_the_same_events_at_once_are_stored_once(postgres: Postgres, client: httpx.AsyncClient) -> None:
    before = metric("duplicate")
    events = [line() for _ in range(20)]
    answers = await asyncio.gather(*(send(client, *events[start:], *events[:start]) for start in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await client.get("/usage/summary")).json()["total"] == 20
    assert metric("duplicate") - before == 7 * 20


async def test_many_at_once_make_one_table(postgres: Postgres, client: httpx.AsyncClient) -> None:
    for _ in range(20):
        await asyncio.to_thread(postgres.query, "DROP TABLE IF EXISTS usage_events")
        stores = [UsageStore(database) for _ in range(8)]
        await asyncio.gather(*(each.table() for each in stores))
        assert all(each.has_table for each in stores)


async def test_what_is_no_event_is_rejected_and_the_rest_is_stored(
    postgres: Postgres, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    before = metric("rejected")
    answer = await send(client, "no json", good := line(), line(user=None), line(usage=None))
    assert answer.status_code == 200
    partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
    assert (partial.rejected_log_records, partial.error_message) == (3, "the body is not a JSON line")
    assert metric("rejected") == before + 3
    assert [event["event_id"] for event in (await client.get("/usage/events")).json()] == [good["event_id"]]
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == ["records rejected"]


async def test_nothing_at_all_is_a_success(postgres: Postgres, client: httpx.AsyncClient) -> None:
    assert (await send(client)).status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status", "reason"),
    [
        (b"\xff\xff", PROTOBUF, 400, "no ExportLogsServiceRequest"),
        (b"no gzip", PROTOBUF | {"content-encoding": "gzip"}, 400, "not gzip"),
        (gzip.compress(b"x" * 1000)[:-9], PROTOBUF | {"content-encoding": "gzip"}, 400, "cut off"),
        (b"", PROTOBUF | {"content-encoding": "zstd"}, 415, "content encoding"),
        (gzip.compress(b"\0" * (9 << 20)), PROTOBUF | {"content-encoding": "gzip"}, 413, "once decompressed"),
        (b"\0" * (9 << 20), PROTOBUF, 413, "larger than"),
    ],
)
async def test_a_body_that_will_never_do(
    client: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = await client.post("/v1/logs", content=content, headers=headers)
    assert answer.status_code == status
    assert reason in refusal(answer)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"resourceLogs": 1}', b"\xff", b"[" * 5000, b'{"resourceLogs":[{']
)
async def test_json_that_will_never_do(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/v1/logs", content=content, headers=JSON)
    assert answer.status_code == 400
    assert "no ExportLogsServiceRequest" in answer.json()["message"]


async def test_a_content_type_of_another_kind(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/logs", content=b"usage", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "content type" in answer.json()["message"]


async def test_while_the_database_is_away_senders_are_asked_to_come_again(
    server: Postgres, client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    await asyncio.to_thread(server.stop)
    stored = metric("stored", event="roll")
    answer = await send(client, event := line())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "database is not available" in refusal(answer)
    assert (await client.get("/healthz")).status_code == 503
    summary = await client.get("/usage/summary")
    assert (summary.status_code, summary.headers["retry-after"]) == (503, "1")
    assert metric("stored", event="roll") == stored
    (failed, *_) = [span for span in spans.get_finished_spans() if span.name == "POST /v1/logs"]
    assert failed.status.status_code is StatusCode.ERROR
    await asyncio.to_thread(server.start)
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await send(client, event)).status_code == 200
    assert event["event_id"] in {row["event_id"] for row in (await client.get("/usage/events")).json()}


async def test_an_outage_under_senders_that_repeat_loses_and_doubles_nothing(
    postgres: Postgres, client: httpx.AsyncClient
) -> None:
    sent: list[str] = []
    end = asyncio.Event()

    async def sender() -> None:
        while not end.is_set():
            batch = [line() for _ in range(5)]
            while (await send(client, *batch)).status_code != 200:  # noqa: ASYNC110 - the wait of a retry
                await asyncio.sleep(0.05)
            sent.extend(event["event_id"] for event in batch)
            await asyncio.sleep(0.01)

    async with asyncio.timeout(60), asyncio.TaskGroup() as senders:
        for _ in range(8):
            senders.create_task(sender())
        await asyncio.sleep(0.3)
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(postgres.start)
        count = len(sent)
        while len(sent) < count + 40:  # noqa: ASYNC110 - eight tasks append to it
            await asyncio.sleep(0.01)
        end.set()
    stored = (await client.get("/usage/events", params={"limit": 10_000})).json()
    assert sorted(event["event_id"] for event in stored) == sorted(sent)


async def test_a_table_dropped_meanwhile_comes_back(postgres: Postgres, client: httpx.AsyncClient) -> None:
    await send(client, line())
    await asyncio.to_thread(postgres.query, "DROP TABLE usage_events")
    answer = await send(client, event := line())
    assert (answer.status_code, refusal(answer)) == (503, "The events could not be stored.")
    assert (await send(client, event)).status_code == 200


async def test_the_summary(postgres: Postgres, client: httpx.AsyncClient) -> None:
    empty = {"total": 0, "users": 0, "events": {}, "first": None, "last": None}
    assert (await client.get("/usage/summary")).json() == empty
    early, late = "2026-01-01T00:00:00+00:00", "2026-01-03T00:00:00+00:00"
    await send(client, line(user="Bob", timestamp=late), line(event="sign_in", timestamp=early), line())
    summary = (await client.get("/usage/summary")).json()
    assert summary == {
        "total": 3, "users": 2, "events": {"roll": 2, "sign_in": 1},
        "first": "2026-01-01T00:00:00Z", "last": "2026-01-03T00:00:00Z",
    }  # fmt: skip


async def test_events_come_in_pages_and_without_names(postgres: Postgres, client: httpx.AsyncClient) -> None:
    events = [line() for _ in range(5)]
    ids = sorted(event["event_id"] for event in events)
    await send(client, *events, line(timestamp="2025-01-01T00:00:00+00:00"))
    window = {"since": "2026-01-01T00:00:00Z", "limit": "3"}
    page = await client.get("/usage/events", params=window)
    rest = await client.get("/usage/events", params=window | {"after": page.json()[-1]["event_id"]})
    assert [event["event_id"] for event in page.json() + rest.json()] == ids
    assert set(page.json()[0]) == {"event_id", "event", "occurred_at"}


TIMES = [
    "now",
    "2026-01-01T00:00:00",
    "1700000000",
    "1e9",
    "-1",
    "2026-01-01",
    "2026-01-01T00:00Z",
    "2026-13-01T00:00:00Z",
]
BEYOND = ["0001-01-01T00:00:00%2B23:59", "0001-01-01T00:00:00%2B00:01", "9999-12-31T23:59:59-00:01"]
NUMBERS = ["0", "10001", "x", "1_0", "1.0", "1e1", "%2B5", "%205", "9" * 5000, "-1", "%D9%A3"]


@pytest.mark.parametrize(
    "query",
    ["after=1", *(f"since={time}" for time in TIMES + BEYOND), *(f"limit={number}" for number in NUMBERS)],
)
async def test_malformed_pages_are_the_callers_mistake(
    postgres: Postgres, client: httpx.AsyncClient, query: str
) -> None:
    answer = await client.get(f"/usage/events?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59.999999Z", "2026-01-01T00:00:00Z"],
)
async def test_every_time_that_can_be_stored_is_a_beginning(
    postgres: Postgres, client: httpx.AsyncClient, time: str
) -> None:
    assert (await client.get("/usage/events", params={"since": time})).status_code == 200


async def test_names_are_in_the_table_and_nowhere_else(
    postgres: Postgres, client: httpx.AsyncClient, spans: InMemorySpanExporter, capfd: pytest.CaptureFixture[str]
) -> None:
    await send(client, line(user="Rumpelstilzchen"), line(user="Rumpelstilzchen", event_id="none"))
    await client.get("/usage/summary")
    assert "Rumpelstilzchen" not in (await client.get("/metrics")).text
    assert "Rumpelstilzchen" not in "".join(span.to_json() for span in spans.get_finished_spans())
    assert "Rumpelstilzchen" not in "".join(capfd.readouterr())


async def test_the_root_names_endpoints_that_answer(postgres: Postgres, client: httpx.AsyncClient) -> None:
    root = (await client.get("/")).json()
    assert (root["name"], root["stage"]) == ("usage-service", "test")
    for endpoint in root["endpoints"]:
        assert (await client.get(endpoint)).status_code == 200


async def test_a_request_by_a_stranger_has_no_effect_on_labels(
    postgres: Postgres, client: httpx.AsyncClient
) -> None:
    before = metric("stored", event="unknown")
    await send(client, line(event="x" * 64))
    assert metric("stored", event="unknown") == before + 1
    assert "xxxx" not in (await client.get("/metrics")).text
