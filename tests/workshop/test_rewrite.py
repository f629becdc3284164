"""Host names and ports move to this machine; what only looks like one stays."""

from __future__ import annotations

import pytest

from workshop.compose.model import Healthcheck, Service
from workshop.compose.rewrite import Rewriter

HOSTS = {"alloy", "pyroscope", "postgres", "dice-roller", "die-service"}
PORTS = {3000, 4317, 4318, 4040, 8001, 8002, 15432}


@pytest.fixture
def moved() -> Rewriter:
    return Rewriter(HOSTS, PORTS, 1500)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http://alloy:4318", "http://127.0.0.1:5818"),
        ("http://alloy:4318/v1/traces?x=alloy", "http://127.0.0.1:5818/v1/traces?x=alloy"),
        ("alloy:4317", "127.0.0.1:5817"),
        ("http://die-service", "http://127.0.0.1"),
        ("http://die-service:9999/", "http://127.0.0.1:9999/"),
        ("http://localhost:3000/trace/", "http://localhost:4500/trace/"),
        ("postgresql://postgres:x@postgres:15432/postgres", "postgresql://postgres:x@127.0.0.1:16932/postgres"),
        ("a:1,dice-roller:8001,die-service:8002", "a:1,127.0.0.1:9501,127.0.0.1:9502"),
        ("open('http://127.0.0.1:8001/healthz')", "open('http://127.0.0.1:9501/healthz')"),
        ("0.0.0.0", "127.0.0.1"),
        ("0.0.0.0:8001", "127.0.0.1:9501"),
        # not ours
        ("http://example.com:8001/", "http://example.com:8001/"),
        ("http://dice-roller.example.com:8001/", "http://dice-roller.example.com:8001/"),
        ("http://my-dice-roller:8001/", "http://my-dice-roller:8001/"),
        ("service.namespace=dice-roller,port=8001", "service.namespace=dice-roller,port=8001"),
        ("10.0.0.0", "10.0.0.0"),
        ("dice-roller", "dice-roller"),
    ],
)  # fmt: skip
def test_text(moved: Rewriter, before: str, after: str) -> None:
    assert moved.text(before) == after


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("OTEL_SERVICE_NAME", "dice-roller", "dice-roller"),
        ("PGHOST", "postgres", "127.0.0.1"),
        ("DB_HOST", "postgres", "127.0.0.1"),
        ("POSTGRES_USER", "postgres", "postgres"),
        ("UVICORN_HOST", "0.0.0.0", "127.0.0.1"),
        ("UVICORN_PORT", "8001", "9501"),
        ("PGPORT", "15432", "16932"),
        ("OTHER_PORT", "7777", "7777"),
        ("RATE", "8001", "8001"),
    ],
)
def test_variable(moved: Rewriter, name: str, before: str, after: str) -> None:
    assert moved.variable(name, before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("uvicorn main:app --host 0.0.0.0 --port 8001", "uvicorn main:app --host 127.0.0.1 --port 9501"),
        ("run --host=alloy --port=8001 --http-port 8002", "run --host=127.0.0.1 --port=9501 --http-port 9502"),
        ("run --workers 8001", "run --workers 8001"),
        ("alloy alloy", "alloy alloy"),
    ],
)
def test_command(moved: Rewriter, before: str, after: str) -> None:
    assert " ".join(moved.command(tuple(before.split()))) == after


def test_a_whole_service(moved: Rewriter) -> None:
    service = Service(
        name="dice-roller",
        command=("uvicorn", "--port", "8001"),
        environment={"UVICORN_PORT": "8001"},
        ports=(8001,),
        healthcheck=Healthcheck(test=("curl", "http://127.0.0.1:8001/healthz")),
    )
    result = moved.service(service)
    assert result.command == ("uvicorn", "--port", "9501")
    assert result.environment == {"UVICORN_PORT": "9501"}
    assert result.ports == (9501,)
    assert result.healthcheck is not None
    assert result.healthcheck.test == ("curl", "http://127.0.0.1:9501/healthz")


def test_without_an_offset_ports_stay(moved: Rewriter) -> None:
    assert Rewriter(HOSTS, PORTS).text("http://alloy:4318") == "http://127.0.0.1:4318"
