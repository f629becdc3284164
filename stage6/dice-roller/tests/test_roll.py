import random

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import REGISTRY

from rolling import delay_from_environment


def rolls(die: str, result: str) -> float:
    return REGISTRY.get_sample_value("dice_rolls_total", {"die_type": die, "result": result}) or 0


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in spans.get_finished_spans() if span.name == name]
    return span


@pytest.fixture
def unlucky(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)


@pytest.fixture
def lucky(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.999)


@pytest.mark.parametrize(("die", "faces"), [("fair", {1, 2, 3, 4, 5, 6}), ("risky", {2, 3, 4, 5, 6, 7})])
async def test_every_face_comes_up(client: httpx.AsyncClient, lucky: None, die: str, faces: set[int]) -> None:
    before = rolls(die, "success")
    answers = [await client.get("/roll", params={"die": die}) for _ in range(200)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["roll"] for answer in answers} == faces
    assert answers[0].json().keys() == {"die", "roll"}
    assert rolls(die, "success") == before + 200


async def test_the_risky_die_fails_with_a_reason(client: httpx.AsyncClient, unlucky: None) -> None:
    before = rolls("risky", "failure")
    answer = await client.get("/roll", params={"die": "risky"})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "The risky die fell off the table."}
    assert rolls("risky", "failure") == before + 1
    assert (await client.get("/roll", params={"die": "fair"})).status_code == 200


async def test_a_failed_roll_is_an_error_with_its_exception_in_the_trace(
    client: httpx.AsyncClient, unlucky: None, spans: InMemorySpanExporter
) -> None:
    await client.get("/roll", params={"die": "risky"})
    roll, server = named(spans, "roll die"), named(spans, "GET /roll")
    assert (roll.name, roll.status.status_code) == ("roll die", StatusCode.ERROR)
    assert (roll.attributes or {})["error.type"] == "RollError"
    assert [event.name for event in roll.events] == ["exception"]
    assert server.status.status_code is StatusCode.ERROR


async def test_a_roll_says_what_it_was(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    value = (await client.get("/roll", params={"die": "fair"})).json()["roll"]
    roll, server = named(spans, "roll die"), named(spans, "GET /roll")
    assert dict(roll.attributes or {}) == {"dice.die_type": "fair", "dice.roll_value": value}
    assert roll.parent is not None
    assert roll.parent.span_id == server.context.span_id
    assert roll.status.status_code is StatusCode.UNSET


async def test_an_unknown_die_is_the_callers_mistake(client: httpx.AsyncClient) -> None:
    before = rolls("unknown", "not_found")
    answer = await client.get("/roll", params={"die": "golden"})
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is no die 'golden'. There are: fair, risky")
    assert rolls("unknown", "not_found") == before + 1


@pytest.mark.parametrize(
    "die", ["", "FAIR", "fair ", "fair\n", 'x"\n{"level":"error"}', "\x00", "🎲", "../metrics", "x" * 33]
)
async def test_a_malformed_name_is_refused(client: httpx.AsyncClient, die: str) -> None:
    assert (await client.get("/roll", params={"die": die})).status_code == 422


async def test_a_missing_name_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/roll")).status_code == 422
    assert (await client.get("/roll?sides=6")).status_code == 422


async def test_the_root_names_service_stage_and_endpoints(client: httpx.AsyncClient) -> None:
    body = (await client.get("/")).json()
    assert (body["name"], body["stage"]) == ("dice-roller", "test")
    for endpoint in body["endpoints"]:
        assert (await client.get(endpoint)).status_code == 200


async def test_healthz(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize("value", ["fast", "-1", "nan", "", "1e9", "61", "1.2.3"])
def test_a_delay_that_is_no_number_of_seconds_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ROLL_DELAY_MAX_SECONDS", value)
    with pytest.raises(SystemExit, match="ROLL_DELAY_MAX_SECONDS must be between 0 and 60"):
        delay_from_environment()
