"""Which samples a selector sees: lookback, staleness, offset, @, ranges and subqueries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pocket.budget import Budget, TimedOut, TooMuch, spending
from pocket.query import promql
from pocket.query.promql.context import Limits
from pocket.rows import STALE_NAN

Vector = Any


def test_a_sample_counts_for_less_than_five_minutes(source: Any, vector: Vector) -> None:
    source.load("a", 10, [1.0])
    assert vector("a", 0) == {"a": 1}
    assert vector("a", 299.999) == {"a": 1}
    assert vector("a", 300) == {}
    assert vector("a", -0.001) == {}


def test_a_staleness_marker_ends_a_series_at_once(source: Any, vector: Vector) -> None:
    source.load("a", 10, [1.0, STALE_NAN, None, 3.0])
    assert [vector("a", t) for t in (9, 10, 20, 30)] == [{"a": 1}, {}, {}, {"a": 3}]
    assert vector("count_over_time(a[1m])", 30) == {"": 2}


def test_nan_is_a_value(source: Any, vector: Vector) -> None:
    source.load("a", 10, [float("nan")])
    assert np.isnan(vector("a", 5)["a"])
    assert vector("count(a)", 5) == {"": 1}


def test_offset_and_at_move_the_time(source: Any, vector: Vector) -> None:
    source.load("a", 10, [float(i) for i in range(100)])
    assert vector("a offset 1m", 600) == {"a": 54}
    assert vector("a offset -1m", 600) == {"a": 66}
    assert vector("a @ 100", 600) == {"a": 10}
    assert vector("a @ 100 offset 50s", 600) == {"a": 5}


def test_start_and_end_are_the_whole_querys_even_in_a_subquery(source: Any) -> None:
    source.load("a", 10, [float(i) for i in range(100)])
    for query, value in (("a @ start()", 20), ("a @ end()", 40), ("max_over_time((a @ start())[1m:10s])", 20)):
        (series,) = promql.range(source, query, 200_000, 400_000, 100_000)
        assert series.values.tolist() == [value] * 3


def test_a_range_leaves_its_left_end_out(source: Any, vector: Vector) -> None:
    source.load("a", 10, [1.0] * 10)
    assert vector("count_over_time(a[20s])", 40) == {"": 2}
    assert vector("count_over_time(a[20s])", 45) == {"": 2}
    assert vector("count_over_time(a[5s])", 45) == {}


def test_a_subquerys_steps_are_multiples_of_its_own(source: Any) -> None:
    source.load("a", 1, [float(i) for i in range(200)])
    result = promql.instant(source, "a[1m:20s]", 130_000)
    assert isinstance(result, promql.Matrix)
    assert result.series[0].t_ms.tolist() == [80_000, 100_000, 120_000]


def test_a_subquery_without_step_takes_the_evaluation_interval(source: Any) -> None:
    source.load("a", 1, [float(i) for i in range(200)])
    result = promql.instant(source, "a[1m:]", 130_000, Limits(subquery_step_ms=15_000))
    assert isinstance(result, promql.Matrix)
    assert result.series[0].t_ms.tolist() == [75_000, 90_000, 105_000, 120_000]


def test_series_do_not_see_each_others_samples(source: Any) -> None:
    source.load('a{n="1"}', 10, [1.0, 2.0])
    source.load('a{n="2"}', 10, [5.0] * 9, start=400)
    source.load('a{n="3"}', 10, [7.0], start=200)
    found = {s.labels["n"]: s.t_ms.tolist() for s in promql.range(source, "a", 0, 900_000, 100_000)}
    assert found == {
        "1": [0, 100_000, 200_000, 300_000],
        "2": [400_000, 500_000, 600_000, 700_000],
        "3": [200_000, 300_000, 400_000],
    }


def test_too_many_samples_are_refused(source: Any) -> None:
    source.load("a", 1, [1.0] * 100)
    with pytest.raises(promql.QueryError, match="too many samples") as refused:
        promql.range(source, "a", 0, 99_000, 1000, Limits(max_cells=50))
    assert refused.value.kind == "execution"


def test_a_query_ends_when_its_time_is_up(source: Any) -> None:
    with pytest.raises(TimedOut):
        promql.instant(source, "a + a", 0, Limits(timeout_seconds=-1))


def test_labels_that_double_are_too_much(source: Any) -> None:
    source.load("a", 10, [1.0])
    joined, replaced = 'label_replace(a, "l", "xx", "", "")', 'label_replace(a, "l", "xx", "", "")'
    for _ in range(40):
        joined = f'label_join({joined}, "l", "", "l", "l")'
        replaced = f'label_replace({replaced}, "l", "$1$1", "l", "(.*)")'
    for query in (joined, replaced):
        with spending(Budget(held_bytes=8 << 20)), pytest.raises(TooMuch):
            promql.instant(source, query, 0)


def test_a_range_query_has_at_most_11000_points(source: Any) -> None:
    assert promql.range(source, "1", 0, 11_000_000, 1000)[0].values.shape == (11_001,)
    with pytest.raises(promql.QueryError, match="exceeded maximum resolution of 11,000 points"):
        promql.range(source, "1", 0, 11_001_000, 1000)
    with pytest.raises(promql.QueryError, match="zero or negative query resolution"):
        promql.range(source, "1", 0, 1, 0)
    with pytest.raises(promql.QueryError, match="invalid expression type"):
        promql.range(source, "a[5m]", 0, 1, 1)
