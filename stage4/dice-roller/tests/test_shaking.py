"""The heavy die works the CPU in a thread of its own, and nobody waits for it but its caller."""

import asyncio
import threading

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import shaking


async def test_other_rolls_go_on_meanwhile(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go_on = threading.Event(), threading.Event()
    threads: list[int] = []

    def held(cubes: list[int]) -> None:
        threads.append(threading.get_ident())
        entered.set()
        assert go_on.wait(20)

    monkeypatch.setattr(shaking.random, "shuffle", held)
    heavy = asyncio.create_task(client.get("/roll", params={"die": "heavy"}))
    await asyncio.to_thread(entered.wait, 20)
    for _ in range(10):
        assert (await client.get("/roll", params={"die": "fair"})).status_code == 200
    assert not heavy.done()
    go_on.set()
    assert (await heavy).status_code == 200
    assert threads != [threading.get_ident()]


async def test_many_shakes_take_one_thread(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold the GIL: six threads at it left the event loop a seventh of the turns."""
    threads: set[int] = set()
    real = shaking.random.shuffle

    def shuffle(cubes: list[int]) -> None:
        threads.add(threading.get_ident())
        real(cubes)

    monkeypatch.setattr(shaking.random, "shuffle", shuffle)
    rolls = [client.get("/roll", params={"die": "heavy"}) for _ in range(20)]
    assert {response.status_code for response in await asyncio.gather(*rolls)} == {200}
    assert len(threads) == 1


async def test_the_span_says_which_profile_is_its(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    await client.get("/roll", params={"die": "heavy"})
    (shake,) = [span for span in spans.get_finished_spans() if span.name == "shake"]
    (roll,) = [span for span in spans.get_finished_spans() if span.name == "roll die"]
    assert shake.parent is not None
    assert shake.parent.span_id == roll.context.span_id
    assert dict(shake.attributes or {}) == {
        "dice.shakes": 1,
        "pyroscope.profile.id": f"{shake.context.span_id:016x}",
    }


async def test_a_light_die_is_not_shaken(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    await client.get("/roll", params={"die": "fair"})
    assert "shake" not in {span.name for span in spans.get_finished_spans()}
