# ruff: noqa: E501 - a case a line reads best
"""TraceQL metrics over the traces of conftest; the values were compared with Tempo 3.0's."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from pocket.budget import Budget, TimedOut, TooMuch, spending
from pocket.query import traceql
from pocket.query.errors import QueryFailure
from pocket.rows import Span

SECOND = 10**9
BASE = 1_700_000_000 * SECOND


class Endless:
    """Traces of one span, without end; `read` counts them."""

    def __init__(self) -> None:
        self.read = 0

    def newest(self, *_: Any, **__: Any) -> Iterator[list[Span]]:
        for self.read in itertools.count(1):
            yield [Span(f"{self.read:032x}", f"{self.read:016x}", "", "work", 1, BASE + 1, BASE + 2)]


@pytest.mark.parametrize(
    "query", ["{} | rate() by (span:id)", "{} | quantile_over_time(duration, .5) by (span:id)"]
)
def test_a_series_for_each_span_is_refused_at_once(query: str) -> None:
    source = Endless()
    with pytest.raises(QueryFailure) as refused:
        traceql.metrics_range(source, traceql.parse(query), BASE, BASE + 3600 * SECOND, 10 * SECOND)
    assert refused.value.message == (
        "Response exceeds maximum series limit of 1000: group by fewer or by other attributes, "
        "or narrow the time range"
    )
    assert (refused.value.status, source.read) == (422, 1001)


def test_series_that_a_second_stage_chooses_from_are_bounded_by_what_they_hold() -> None:
    query = traceql.parse("{} | rate() by (span:id) | topk(3)")
    with spending(Budget(held_bytes=16 << 20)), pytest.raises(TooMuch):
        traceql.metrics_range(Endless(), query, BASE, BASE + 3600 * SECOND, 10 * SECOND)


@pytest.mark.parametrize("query", ["{} | rate()", "{} | sum_over_time(span.missing)"])
def test_a_metrics_query_ends_at_its_deadline(query: str) -> None:
    with spending(Budget(seconds=0.2)), pytest.raises(TimedOut):
        traceql.metrics_range(Endless(), traceql.parse(query), BASE, BASE + SECOND, SECOND)


def test_a_search_holds_what_it_keeps() -> None:
    with spending(Budget(held_bytes=1 << 20)), pytest.raises(TooMuch):
        traceql.search(Endless(), traceql.parse("{}"), BASE, BASE + SECOND, limit=10_000)


def at(source: Any, text: str) -> dict[str, float]:
    found = traceql.metrics_instant(source, traceql.parse(text), BASE, BASE + 100 * SECOND)
    return {",".join(f"{name}={value}" for name, value in item.labels): item.samples[0][1] for item in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{} | count_over_time()", {"": 14}),
        ("{} | rate()", {"": 0.14}),
        ("{ name = `nope` } | rate()", {"": 0}),
        ("{} | rate() by (span.flag)", {"span.flag=None": 0.13, "span.flag=False": 0.01}),
        ("{} | count_over_time() by (status)", {"status=unset": 10, "status=ok": 1, "status=error": 3}),
        ("{} | min_over_time(duration)", {"": 0.0005}),
        ("{ kind = server } | max_over_time(duration) by (resource.service.name)", {"resource.service.name=frontend": 1.2, "resource.service.name=die-service": 0.02, "resource.service.name=roller": 0.01}),
        ("{} | sum_over_time(span.die.result)", {"": 13}),
        ("{} | avg_over_time(span.die.result)", {"": 3.25}),
        ("{ name = `roll die` } | quantile_over_time(duration, .5, 1)", {"p=0.5": 0.536870912, "p=1.0": 1.073741824}),
        ("{ name = `roll die` } | histogram_over_time(duration)", {"__bucket=0.268435456": 1, "__bucket=0.536870912": 1, "__bucket=1.073741824": 2}),
        ("{} | count_over_time() by (resource.service.name) | topk(1)", {"resource.service.name=roller": 6}),
        ("{} | count_over_time() by (resource.service.name) > 2", {"resource.service.name=frontend": 4, "resource.service.name=roller": 6}),
    ],
)  # fmt: skip
def test_instant(source: Any, text: str, expected: dict[str, float]) -> None:
    assert at(source, text) == pytest.approx(expected)


def test_steps_are_aligned_and_right_closed(source: Any) -> None:
    query = traceql.parse("{} | count_over_time()")
    [series] = traceql.metrics_range(source, query, BASE, BASE + 60 * SECOND, 20 * SECOND)
    # a span at BASE itself belongs to the step that ends there
    assert series.samples == [
        ((BASE + second * SECOND) // 10**6, count) for second, count in ((0, 1.0), (20, 7.0), (40, 4.0), (60, 2.0))
    ]


@pytest.mark.parametrize("step", [0, 1])
def test_a_step_that_is_no_step_is_refused(source: Any, step: int) -> None:
    with pytest.raises(QueryFailure, match=r"step must be|exceeded maximum resolution"):
        traceql.metrics_range(source, traceql.parse("{} | rate()"), BASE, BASE + 60 * SECOND, step)


def test_a_search_is_no_metrics_query(source: Any) -> None:
    with pytest.raises(QueryFailure, match="not a metrics query"):
        at(source, "{}")
