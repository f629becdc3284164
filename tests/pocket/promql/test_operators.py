"""Aggregations, binary operators and vector matching."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pocket.query import promql

Vector = Any


@pytest.fixture(autouse=True)
def _loaded(source: Any) -> None:
    for job, n, value in (("api", "1", 1.0), ("api", "2", 2.0), ("web", "1", 4.0), ("web", "2", math.nan)):
        source.load(f'a{{job="{job}", n="{n}"}}', 10, [value])
    source.load('b{job="api"}', 10, [10.0])
    source.load('b{job="web"}', 10, [20.0])
    source.load('info{job="api", version="7"}', 10, [1.0])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sum by (job) (b)", {'{job="api"}': 10, '{job="web"}': 20}),
        ("sum without (job) (b)", {"": 30}),
        ("max(a)", {"": 4}),
        ("min by (n) (a)", {'{n="1"}': 1, '{n="2"}': 2}),
        ("count by (job) (a)", {'{job="api"}': 2, '{job="web"}': 2}),
        ("group by (job) (b)", {'{job="api"}': 1, '{job="web"}': 1}),
        ("stdvar(b)", {"": 25}),
        ("quantile(0.5, b)", {"": 15}),
        ("topk(2, a)", {'a{job="web", n="1"}': 4, 'a{job="api", n="2"}': 2}),
        ("bottomk by (job) (1, a)", {'a{job="api", n="1"}': 1, 'a{job="web", n="1"}': 4}),
        ('count_values("v", b / 20)', {'{v="0.5"}': 1, '{v="1"}': 1}),
        ("b / on(job) group_left sum by (job) (b)", {'{job="api"}': 1, '{job="web"}': 1}),
        ('a{n="1"} * on(job) b', {'{job="api"}': 10, '{job="web"}': 80}),
        ('a{n="1"} * ignoring(n) b', {'{job="api"}': 10, '{job="web"}': 80}),
        ("b * on(job) group_left(version) info", {'{job="api", version="7"}': 10}),
        ("info * on(job) group_right(version) b", {'{job="api", version="7"}': 10}),
        ("b > 15", {'b{job="web"}': 20}),
        ("15 > b", {'b{job="api"}': 10}),
        ("b > bool 15", {'{job="api"}': 0, '{job="web"}': 1}),
        ("b and on(job) info", {'b{job="api"}': 10}),
        ("b unless on(job) info", {'b{job="web"}': 20}),
        ("info or b", {'info{job="api", version="7"}': 1, 'b{job="api"}': 10, 'b{job="web"}': 20}),
        ("info or on(job) b", {'info{job="api", version="7"}': 1, 'b{job="web"}': 20}),
        ("-b ^ 2", {'{job="api"}': -100, '{job="web"}': -400}),
        ("b % 7", {'{job="api"}': 3, '{job="web"}': 6}),
    ],
)
def test_operators(vector: Vector, query: str, expected: dict[str, float]) -> None:
    assert vector(query) == expected


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("a + on(job) a", "many-to-many matching not allowed: matching labels must be unique on one side"),
        ("a + on(job) b", r"many-to-one matching must be explicit \(group_left/group_right\)"),
        ("a * on(job) group_left(n) b", "grouping labels must ensure unique matches"),
        ("topk(scalar(nothing), a)", "Parameter value is NaN"),
        ('count_values("", a)', "invalid label name"),
        ('label_replace(a, "", "x", "job", "y")', "invalid destination label name"),
        ('label_replace(a, "\\xff", "x", "job", "y")', "invalid destination label name"),
        ('label_join(a, "b", ",", "\\xff")', "invalid source label name"),
        ('count_values("\\xff", a)', r'invalid label name "\\xff"'),
    ],
)
def test_errors_of_evaluation_are_not_the_callers_syntax(vector: Vector, query: str, reason: str) -> None:
    with pytest.raises(promql.QueryError, match=reason) as failed:
        vector(query)
    assert (failed.value.kind, failed.value.status) == ("execution", 422)


def test_the_largest_come_first_and_nan_last(source: Any) -> None:
    for query, order in (("topk(4, a)", [4, 2, 1, math.nan]), ("bottomk(4, a)", [1, 2, 4, math.nan])):
        result = promql.instant(source, query, 0)
        assert isinstance(result, promql.Vector)
        assert [s.value for s in result.samples] == pytest.approx(order, nan_ok=True)


def test_matching_goes_step_by_step(source: Any) -> None:
    """Two series of one signature that are never there together do not hinder each other."""
    source.load('c{job="api", v="1"}', 10, [1.0])
    source.load('c{job="api", v="2"}', 10, [3.0], start=600)
    found = promql.range(source, "c + on(job) (b @ 0)", 0, 600_000, 200_000)
    assert [(s.t_ms.tolist(), s.values.tolist()) for s in found] == [([0, 200_000, 600_000], [11, 11, 13])]
