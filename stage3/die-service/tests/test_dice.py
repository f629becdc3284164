import json
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from specifications import DICE_FILE, load


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_the_list_of_dice(client: httpx.AsyncClient) -> None:
    before = value("die_list_requests_total")
    assert (await client.get("/dice")).json() == {"identifiers": ["fair", "risky", "heavy"]}
    assert value("die_list_requests_total") == before + 1
    assert value("die_specifications_loaded") == 3


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
    (span,) = spans.get_finished_spans()
    attributes = span.attributes or {}
    assert (attributes["dice.die_type"], attributes["dice.die_found"]) == (die, found)


async def test_the_root_names_service_stage_and_endpoints(client: httpx.AsyncClient) -> None:
    body = (await client.get("/")).json()
    assert (body["name"], body["stage"]) == ("die-service", "test")
    for endpoint in body["endpoints"]:
        assert (await client.get(endpoint)).status_code == 200


GOOD = json.loads(DICE_FILE.read_text())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("{}", "valid array"),
        ("[]", "at least 1 item"),
        (json.dumps([GOOD[0], GOOD[0]]), "an identifier is there twice"),
        (json.dumps([GOOD[0] | {"faces": []}]), "faces"),
        (json.dumps([GOOD[0] | {"faces": [1, -1]}]), "faces.1"),
        (json.dumps([GOOD[0] | {"error_rate": 2}]), "error_rate"),
        (json.dumps([GOOD[0] | {"shakes": -1}]), "shakes"),
        (json.dumps([GOOD[0] | {"identifier": "Fair Die"}]), "identifier"),
        (json.dumps([GOOD[0] | {"colour": "red"}]), "colour"),
    ],
)
def test_a_malformed_file_refuses_to_start_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "dice.json"
    file.write_text(text)
    with pytest.raises(SystemExit, match=reason) as refused:
        load(file)
    assert str(file) in str(refused.value)


def test_a_missing_file_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No such file"):
        load(tmp_path / "dice.json")
