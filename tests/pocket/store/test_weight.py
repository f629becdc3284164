"""The estimate of a row's memory against what Python takes for it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from pocket.rows import Exemplar, LogEntry, ProfileSample, Sample, Span, SpanEvent
from pocket.store import Store, StoreFull, weight
from pocket.store import writer as writer_module

RESOURCE = {"service.name": "roller"}


def pairs(i: int, count: int, width: int = 10) -> dict[str, str]:
    return {f"attribute.{i}.{n}": f"{i}.{n}".ljust(width, "x") for n in range(count)}


def span(i: int, **more: Any) -> Span:
    return Span(f"{i:032x}", f"{i:016x}", "", "GET /", 2, 10**18 + i, 10**18 + i + 5, resource=RESOURCE, **more)


def event(i: int) -> SpanEvent:
    return SpanEvent(10**18 + i, f"event {i}", pairs(i, 3))


Make = Callable[[int], Any]
ROWS: list[tuple[Callable[[list[Any]], int], Make]] = [
    (weight.spans, span),
    (weight.spans, lambda i: span(i, attributes=pairs(i, 5))),
    (weight.spans, lambda i: span(i, attributes=pairs(i, 100))),
    (weight.spans, lambda i: span(i, attributes=pairs(i, 3, 20_000))),
    (weight.spans, lambda i: span(i, attributes={"a": [{"b": f"{i}.{n}" * 20} for n in range(50)]})),
    (weight.spans, lambda i: span(i, events=[event(i * 100 + n) for n in range(50)])),
    (weight.spans, lambda i: span(i, attributes={"a": "é☃" * 5000 + str(i)})),
    (weight.logs, lambda i: LogEntry(RESOURCE, 10**18 + i, f"line {i}")),
    (weight.logs, lambda i: LogEntry(RESOURCE, 10**18 + i, f"line {i}", pairs(i, 100))),
    (weight.logs, lambda i: LogEntry(pairs(i, 15), 10**18 + i, f"line {i}")),
    (weight.samples, lambda i: Sample(pairs(i, 8), 10**12 + i, 0.5 + i)),
    (weight.exemplars, lambda i: Exemplar(RESOURCE, pairs(i, 1, 5000), 0.5 + i, 10**12 + i)),
    (
        weight.profiles,
        lambda i: ProfileSample("t", RESOURCE, 10**12 + i, tuple(f"f{i}.{n}" for n in range(500)), 1),
    ),
]


@pytest.mark.parametrize(("estimate", "make"), ROWS)
def test_it_is_near_the_truth(estimate: Callable[[list[Any]], int], make: Make) -> None:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    rows = [make(i) for i in range(200)]
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.7 < estimate(rows) / (after - before) < 1.5


def test_fat_spans_and_logs_fill_the_queue(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_BYTES", 1 << 20)
    with store._writer._writing:  # nothing is written meanwhile
        store.append_spans([span(1, attributes={"a": "x" * 900_000})])
        with pytest.raises(StoreFull):
            store.append_logs([LogEntry(RESOURCE, 1, "x", {"a": "x" * 900_000})])
    store.flush()
    assert len(store.traces.trace("1")) == 1
