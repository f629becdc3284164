"""`compare()`: the values of attributes in a selection and in the rest."""

from __future__ import annotations

from typing import Any

import pytest

from pocket.budget import Budget, TooMuch, spending
from pocket.query import traceql
from pocket.query.errors import QueryFailure

from .conftest import BASE, SECOND


def series(source: Any, text: str, step: int = 60) -> dict[tuple[Any, ...], float]:
    """(side, attribute, value) → how often in all."""
    found = traceql.metrics_range(source, traceql.parse(text), BASE, BASE + 60 * SECOND, step * SECOND)
    return {
        (side, name, tuple(value) if isinstance(value, list) else value): sum(value for _, value in item.samples)
        for item in found
        for (_, side), (name, value) in [item.labels]
    }


def test_values_and_totals_of_the_selection_and_the_baseline(source: Any) -> None:
    found = series(source, "{ } | compare({ status = error })")
    assert found["selection", "resource.service.name", "roller"] == 2
    assert found["baseline", "resource.service.name", "roller"] == 4
    assert found["selection", "span.die.type", "risky"] == 1
    assert found["baseline", "span.die.type", "fair"] == 4
    assert ("selection", "span.die.type", "fair") not in found
    assert found["selection_total", "span.die.type", None] == 1
    assert found["baseline_total", "span.die.type", None] == 4
    assert found["selection_total", "name", None] == 3
    assert found["baseline_total", "name", None] == 11
    assert found["selection", "event.exception.type", "ValueError"] == 1
    assert ("baseline", "link.why", "follows") not in found
    assert found["baseline", "instrumentation.mode", "auto"] == 1
    assert found["selection", "status", "error"] == 3
    assert found["baseline", "rootServiceName", "frontend"] == 8
    assert found["baseline", "span:childCount", 3] == 1


def test_durations_and_ids_are_not_compared(source: Any) -> None:
    attributes = {key[1] for key in series(source, "{ } | compare({ true })")}
    assert not attributes & {"duration", "traceDuration", "trace:id", "span:id", "span:parentID", "nestedSetLeft"}


def test_the_most_frequent_values_stay_and_the_totals_count_all(source: Any) -> None:
    found = series(source, "{ } | compare({ status = error }, 1)")
    names = {key[2] for key in found if key[:2] == ("baseline", "name")}
    assert len(names) == 1
    assert found["baseline_total", "name", None] == 11


def test_a_selection_may_be_of_some_time_alone(source: Any) -> None:
    start, end = BASE + 5 * SECOND, BASE + 30 * SECOND
    found = series(source, f"{{ }} | compare({{ status = error }}, 10, {start}, {end})")
    assert found["selection_total", "name", None] == 2  # the second trace's two; the orphan's child comes later


def test_samples_lie_in_their_steps(source: Any) -> None:
    query = traceql.parse('{ resource.service.name = "cron" } | compare({ name = "odd" })')
    found = traceql.metrics_range(source, query, BASE, BASE + 60 * SECOND, 10 * SECOND)
    [odd] = [item for item in found if item.labels == (("__meta_type", "selection"), ("name", "odd"))]
    assert [value for _, value in odd.samples].count(1.0) == 1
    assert len(odd.samples) == 7
    [whole] = [
        item
        for item in traceql.metrics_instant(source, query, BASE, BASE + 60 * SECOND)
        if item.labels == (("__meta_type", "baseline_total"), ("name", None))
    ]
    assert [value for _, value in whole.samples] == [1.0]


def test_what_cannot_be_evaluated_belongs_to_the_baseline(source: Any) -> None:
    found = series(source, "{ } | compare({ !span.die.type })")
    assert {key[0] for key in found} == {"baseline", "baseline_total"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ } | compare({ name })", "span filter field expressions must resolve to a boolean: { name }"),
        ("{ } | compare({ }, 0)", "compare() top number of values must be integer greater than 0"),
        ("{ } | compare({ }, 1, 0, 5)", "compare() timestamps must be positive integer unix nanoseconds"),
        ("{ } | compare({ }, 1, 5, 5)", "compare() end timestamp must be greater than start timestamp"),
        ("{ } | compare({ }) | topk(3)", "`compare()` cannot be used with second stage functions"),
        ("{ } | compare({ }, 1, 2)", "parse error at line 1, col 24: syntax error: unexpected ), expecting ,"),
        ("{ } | compare()", "parse error at line 1, col 15: syntax error: unexpected ), expecting {"),
    ],
)
def test_faults_are_named_as_tempo_names_them(text: str, message: str) -> None:
    with pytest.raises(QueryFailure) as failed:
        traceql.parse(text)
    assert failed.value.message == message


def test_what_is_collected_is_held_against_the_budget(source: Any) -> None:
    with spending(Budget(held_bytes=10_000)), pytest.raises(TooMuch):
        series(source, "{ } | compare({ status = error })")
