# ruff: noqa: E501 - a case a line reads best
"""Metric queries over the lines of conftest; the values were compared with Loki 3.7's."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pocket.query import logql
from pocket.query.errors import QueryFailure

SECOND = 10**9
BASE = 1_700_000_000 * SECOND
A, ALL = '{service_name="dice-roller"}', '{service_name=~".+"}'
ROLLS = A + ' | json | unwrap roll_value | __error__=""'


def at(logs: Any, text: str, seconds: int = 60) -> dict[str, float]:
    """The vector at BASE + seconds, labels written as `a=b,c=d`."""
    expr = logql.parse(text)
    assert not isinstance(expr, logql.ast.LogQuery)
    vector = logql.metric_instant(logs, expr, BASE + seconds * SECOND)
    assert isinstance(vector, dict)
    return {",".join(f"{n}={v}" for n, v in labels): value for labels, value in vector.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"sum(count_over_time({A}[1m]))", {"": 6}),  # (0, 60]: line 0 of the first minute is out, of the second in
        (f"sum by (level)(count_over_time({A}[1m]))", {"level=error": 1, "level=info": 4, "level=warning": 1}),
        (f"sum(rate({A}[1m]))", {"": 0.1}),
        ('sum(bytes_over_time({service_name="nginx"}[1m]))', {"": 90}),
        (f"sum by (die_type)(count_over_time({A} | json | __error__=`` [1m]))", {"die_type=fair": 3, "die_type=risky": 2}),
        (f"sum(count_over_time({A} | json [1m]))", {"": 6}),  # nothing is asked of the parser, so no line can fail
        (f"sum(sum_over_time({ROLLS}[1m]))", {"": 17.5}),
        (f"max_over_time({ROLLS}[1m]) by (die_type)", {"die_type=fair": 5, "die_type=risky": 7.5}),
        (f"min_over_time({ROLLS}[1m]) by (service_name)", {"service_name=dice-roller": 2}),
        (f"avg_over_time({ROLLS}[1m]) by (die_type)", {"die_type=fair": 10 / 3, "die_type=risky": 7.5}),
        (f"quantile_over_time(0.5, {ROLLS}[1m]) by (die_type)", {"die_type=fair": 3, "die_type=risky": 7.5}),
        (f"first_over_time({ROLLS}[1m]) by (die_type)", {"die_type=fair": 2, "die_type=risky": 7.5}),
        (f"last_over_time({ROLLS}[1m]) by (die_type)", {"die_type=fair": 5, "die_type=risky": 7.5}),
        (f"stdvar_over_time({ROLLS}[1m]) by (die_type)", {"die_type=fair": 14 / 9, "die_type=risky": 0}),
        (f"sum(sum_over_time({A} | json | unwrap duration(took) | __error__=`` [1m]))", {"": 3.45}),
        (f"sum(sum_over_time({A} | json | unwrap bytes(size) | __error__=`` [1m]))", {"": 1500 + 7 * 2**20}),
        (f"topk(1, sum by (level)(count_over_time({A}[1m])))", {"level=info": 4}),
        (f"max(sum by (level)(count_over_time({A}[1m])))", {"": 4}),
        (f"avg(sum by (level)(count_over_time({A}[1m])))", {"": 2}),
        (f"count(sum by (level)(count_over_time({A}[1m])))", {"": 3}),
        (f"stddev(sum by (level)(count_over_time({A}[1m])))", {"": math.sqrt(2)}),
        (f"sum(count_over_time({A} |= `rolled` [1m])) / sum(count_over_time({A}[1m]))", {"": 0.5}),
        (f"sum by (level)(count_over_time({A}[1m])) > 1", {"level=info": 4}),
        (f"1 < bool sum by (level)(count_over_time({A}[1m]))", {"level=error": 0, "level=info": 1, "level=warning": 0}),
        (f"sum by (level)(count_over_time({A}[1m])) / on() group_left sum(count_over_time({A}[1m]))", {"level=error": 1 / 6, "level=info": 4 / 6, "level=warning": 1 / 6}),
        (f"sum by (level)(count_over_time({A}[1m])) unless sum by (level)(count_over_time({A} |= `slow` [1m]))", {"level=error": 1, "level=info": 4}),
        (f"sum(count_over_time({A} |= `nope` [1m])) or vector(0)", {"": 0}),
        ("vector(1)+vector(1)", {"": 2}),
        ("vector(1) % 0", {"": math.nan}),
        (f"label_replace(sum by (level)(count_over_time({A} |= `slow` [1m])), `l`, `$1-x`, `level`, `(.*)ing`)", {"l=warn-x,level=warning": 1}),
        (f"sum(count_over_time({A}[1m] offset 1m))", {"": 1}),
        ('absent_over_time({service_name="nope",x!="y"}[1m])', {"service_name=nope": 1}),
        (f"absent_over_time({A}[1m])", {}),
        (f"sum by (detected_level)(count_over_time({ALL}[1m]))", {"detected_level=error": 3, "detected_level=info": 5, "detected_level=unknown": 3, "detected_level=warn": 2}),
    ],
)  # fmt: skip
def test_instant(logs: Any, text: str, expected: dict[str, float]) -> None:
    assert at(logs, text) == pytest.approx(expected, nan_ok=True)


def test_sort_keeps_its_order(logs: Any) -> None:
    found = at(logs, f"sort_desc(sum by (service_name)(count_over_time({ALL}[1m])))")
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_range_query_has_a_value_at_each_step_with_lines(logs: Any) -> None:
    expr = logql.parse(f"sum(count_over_time({A}[30s]))")
    assert not isinstance(expr, logql.ast.LogQuery)
    found = logql.metric_range(logs, expr, BASE, BASE + 120 * SECOND, 30 * SECOND)
    assert found == {(): [(BASE, 1.0), (BASE + 30 * SECOND, 5.0), (BASE + 60 * SECOND, 1.0),
                          (BASE + 90 * SECOND, 5.0), (BASE + 120 * SECOND, 1.0)]}  # fmt: skip


def test_a_line_that_fails_fails_the_query_as_loki_does(logs: Any) -> None:
    with pytest.raises(QueryFailure, match="pipeline error: 'JSONParserErr' for series: ") as failure:
        at(logs, f"count_over_time({A} | json [1m])")
    assert failure.value.status == 400
    with pytest.raises(QueryFailure, match="SampleExtractionErr"):
        at(logs, f"sum(sum_over_time({A} | json | unwrap took [1m]))")


def test_ambiguous_matches_are_refused(logs: Any) -> None:
    with pytest.raises(QueryFailure, match="duplicate series on the right"):
        at(logs, f"sum(rate({A}[1m])) > on() sum by (level)(rate({A}[1m]))")


def test_a_literal_is_a_scalar(logs: Any) -> None:
    expr = logql.parse("1 + 1")
    assert not isinstance(expr, logql.ast.LogQuery)
    assert logql.metric_instant(logs, expr, BASE) == 2.0
