"""What a query may hold and how many series it may have; and that asking for few fields changes no answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from pocket.budget import Budget, TimedOut, TooMuch, current, spending
from pocket.query import logql
from pocket.query.errors import QueryFailure
from pocket.query.logql import evaluate, json_fields, wanted
from pocket.rows import LogEntry

from .conftest import BASE, SECOND, MemoryLogs

TOO_MANY_SERIES = (
    "maximum number of series (500) reached for a single query; consider reducing query cardinality by adding "
    "more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), "
    "count() or topk()"
)


class Counted:
    """Streams without end; `read` says how many lines were taken."""

    def __init__(self) -> None:
        self.read = 0

    def select(self, *_: Any, **__: Any) -> Iterator[LogEntry]:
        for self.read in itertools.count(1):
            yield LogEntry({"app": "x", "n": str(self.read)}, BASE + self.read, '{"a": 1}', {})


@pytest.mark.parametrize(
    "query", ['rate({app="x"}[5m])', 'sum by (n) (rate({app="x"}[5m]))', 'count_over_time({app="x"} | json [5m])']
)
def test_the_501st_series_ends_the_reading(query: str) -> None:
    source = Counted()
    for ask in (
        lambda: logql.metric_instant(source, logql.parse(query), BASE + SECOND),  # type: ignore[arg-type]
        lambda: logql.metric_range(source, logql.parse(query), BASE, BASE + 60 * SECOND, SECOND),  # type: ignore[arg-type]
    ):
        with pytest.raises(QueryFailure) as refused:
            ask()
        assert (refused.value.message, refused.value.status) == (TOO_MANY_SERIES, 400)
        assert source.read == 501


def test_series_that_an_aggregation_joins_are_bounded_by_what_they_hold() -> None:
    with spending(Budget(held_bytes=1 << 20)), pytest.raises(TooMuch):
        logql.metric_instant(Counted(), logql.parse('topk(3, rate({app="x"}[5m]))'), BASE + SECOND)  # type: ignore[arg-type]


def test_series_that_no_window_sees_do_not_count() -> None:
    """Steps a minute apart look at a second each: the 600 series between them are in no answer."""
    rows = [LogEntry({"app": "x", "n": str(n)}, BASE + 10 * SECOND + n, "line", {}) for n in range(600)]
    found = logql.metric_range(
        MemoryLogs(rows), logql.parse('rate({app="x"}[1s])'), BASE, BASE + 120 * SECOND, 60 * SECOND  # type: ignore[arg-type]
    )  # fmt: skip
    assert found == {}


def test_many_samples_are_too_much() -> None:
    with spending(Budget(held_bytes=1 << 20)), pytest.raises(TooMuch):
        logql.metric_instant(Counted(), logql.parse('sum(rate({app="x"}[5m]))'), BASE + SECOND)  # type: ignore[arg-type]


@pytest.mark.parametrize("query", ['sum(rate({app="x"}[5m]))', 'sum(rate({app="x"} | json | a="2" [5m]))'])
def test_a_query_ends_at_its_deadline(query: str) -> None:
    with spending(Budget(seconds=0.2)), pytest.raises(TimedOut):
        logql.metric_instant(Counted(), logql.parse(query), BASE + SECOND)  # type: ignore[arg-type]


def test_a_log_query_ends_at_its_deadline() -> None:
    query = logql.parse_log_query('{app="x"} |= "never"')
    with spending(Budget(seconds=0.2)), pytest.raises(TimedOut):
        logql.streams(Counted(), query, BASE, BASE + SECOND, limit=10)


def test_label_replace_is_charged() -> None:
    doubling = 'sum(rate({app="x"}[5m]))'
    doubling = f'label_replace({doubling}, "a", "xx", "", "")'
    for _ in range(40):
        doubling = f'label_replace({doubling}, "a", "$1$1", "a", "(.*)")'
    with spending(Budget(held_bytes=8 << 20)), pytest.raises(TooMuch):
        logql.metric_instant(MemoryLogs([LogEntry({"app": "x"}, BASE, "line")]), logql.parse(doubling), BASE + 1)  # type: ignore[arg-type]


# ---- asking for few fields
LINES = [
    '{"status": 500, "die_type": "fair", "duration": 0.50, "ok": true}',
    '{"status": "500", "die-type": "fair", "duration": 1e2}',
    '{"status": 5e2, "die": {"type": "fair"}, "duration": -0}',
    '{"status": -0, "status": 7, "duration": 0.0}',
    '{"die_type": "a", "die-type": "b", "die": {"type": "c"}}',
    '{" status ": "padded", "": {"status": "nested in nothing"}}',
    '{"9lives": 1, "_9lives": 2}',
    '{"a": {"status": 0.10}, "status": 0.10}',
    '{"a": {"status": 0.1}, "st\\u0061tus": 0.10}',
    '{"status": 12345678901234567890123}',
    '{"status": "ü\\ud83c\\udfb2", "duration": null}',
    '{"status": "half \\ud83c", "die_type": "x"}',
    '{"status": "tab\there", "die_type": "raw"}',
    '{"status": NaN}',
    '{"status": [1, 2], "die_type": ["x"]}',
    '{"status": 1,}',
    '{"status": 1',
    "[1]",
    '"text"',
    "5",
    "",
    "no json",
    'status=5 die_type="x" duration=0.50',
    "status=x status=y",
    '{"level": "warn", "trace_id": "mine", "detected_level": "own", "status": "err"}',
    '{"service_name": "inner", "service_name_extracted": "own"}',
    '{"status": false, "duration": 0.1e1}',
]
SOURCE = MemoryLogs(
    [
        LogEntry({"app": "x", "service_name": "s", **more}, BASE + n * SECOND, line, {"trace_id": f"t{n % 2}"})
        for more in ({}, {"status": "of the stream"})
        for n, line in enumerate(LINES)
    ]
)
STAGES = [
    "| json",
    "| logfmt",
    '| json | status="500"',
    "| json | status > 5",
    '| json | __error__=""',
    "| json | keep status",
    '| json | drop status | die_type=~".+"',
    '| json | status!="500" or die_type="fair"',
    "| logfmt | json",
    "| json | logfmt",
    '| json | drop __error__, __error_details__, status="500"',
]
BY = [
    "", "status", "die_type", "_9lives", "trace_id", "trace_id_extracted", "service_name_extracted", "level", "ok",
    "detected_level", "detected_level_extracted", "duration", "status_extracted", "a_status",
]  # fmt: skip


def outcome(query: str) -> Any:
    try:
        found = evaluate.evaluate(SOURCE, logql.parse(query), [BASE + 100 * SECOND])  # type: ignore[arg-type]
        return [sorted(vector.items()) for vector in found]
    except QueryFailure as failure:
        return type(failure), failure.message


@pytest.mark.parametrize("stages", STAGES)
@pytest.mark.parametrize("by", BY)
def test_leaving_out_what_nobody_asks_for_changes_no_answer(
    stages: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [
        f'sum by ({by}) (count_over_time({{app="x"}} {stages} [5m]))',
        f'sum by ({by}) (count_over_time({{app="x"}} {stages} | __error__="" [5m]))',
        f'sum by ({by}) (sum_over_time({{app="x"}} {stages} | unwrap duration | __error__="" [5m]))',
    ]
    few = [outcome(query) for query in queries]
    monkeypatch.setattr(json_fields, "parser", lambda _, slow: slow)
    assert few == [outcome(query) for query in queries]
    monkeypatch.setattr(wanted, "labels", lambda *_: None)
    # Whoever does not ask for errors may not see one: it stands behind the last label that is asked for.
    assert few[1:] == [outcome(query) for query in queries[1:]]


def test_outside_a_query_nothing_is_spent() -> None:
    current().hold(1 << 20)
    assert current().held == 0
