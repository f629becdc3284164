from __future__ import annotations

import math
from typing import Any

import pytest

from pocket.query import promql

Vector = Any


@pytest.fixture
def buckets(source: Any) -> Any:
    def load(**counts: float) -> None:
        for bound, count in counts.items():
            text = bound.removeprefix("le").replace("_", ".").replace("Inf", "+Inf").replace("minus", "-")
            source.load(f'h_bucket{{le="{text}"}}', 10, [count])

    return load


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("0.5", 0.75),
        ("0.25", 0.5),
        ("0.1", 0.2),
        ("0.9", 1),
        ("1", 1),
        ("0", 0),
        ("-1", -math.inf),
        ("2", math.inf),
    ],
)
def test_quantiles_are_interpolated_within_their_bucket(
    buckets: Any, vector: Vector, q: str, expected: float
) -> None:
    buckets(le0_5=5, le1=15, leInf=20)
    assert vector(f"histogram_quantile({q}, h_bucket)") == {"": pytest.approx(expected)}


@pytest.mark.parametrize(
    "counts", [{"le1": 5.0}, {"leInf": 5.0}, {"le1": 0.0, "leInf": 0.0}, {"le1": 1.0, "le2": 2.0}]
)
def test_without_observations_or_an_infinite_bucket_there_is_no_quantile(
    buckets: Any, vector: Vector, counts: dict[str, float]
) -> None:
    buckets(**counts)
    assert math.isnan(vector("histogram_quantile(0.5, h_bucket)")[""])


def test_the_lowest_bucket_below_zero_has_no_start(buckets: Any, vector: Vector) -> None:
    buckets(leminus1=4, le1=6, leInf=6)
    assert vector("histogram_quantile(0.5, h_bucket)") == {"": -1}


def test_counts_that_fall_are_raised_and_told(source: Any, buckets: Any) -> None:
    buckets(le1=5, le2=3, leInf=10)
    result = promql.instant(source, "histogram_quantile(0.9, h_bucket)", 0)
    assert isinstance(result, promql.Vector)
    assert result.samples[0].value == 2
    assert "needed to be fixed for monotonicity" in result.annotations.infos[0]
    assert "from buckets 2 to 2, with a max diff of 2, over 1 samples" in result.annotations.infos[0]


def test_rounding_is_raised_silently(source: Any, buckets: Any) -> None:
    buckets(le1=5.0000000000001, le2=5, leInf=10)
    assert promql.instant(source, "histogram_quantile(0.9, h_bucket)", 0).annotations.infos == []


def test_equal_bounds_count_together(buckets: Any, vector: Vector) -> None:
    buckets(le1=2, le1_0=2, leInf=8)
    assert vector("histogram_quantile(0.25, h_bucket)") == {"": 0.5}


def test_a_bound_that_is_no_number_is_left_out_with_a_warning(source: Any, vector: Vector) -> None:
    source.load('h_bucket{le="x"}', 10, [1.0])
    result = promql.instant(source, "histogram_quantile(0.5, h_bucket)", 0)
    assert isinstance(result, promql.Vector)
    assert result.samples == []
    assert 'bucket label "le" is missing or has a malformed value of "x"' in result.annotations.warnings[0]


def test_fractions(buckets: Any, vector: Vector) -> None:
    buckets(le1=5, le3=15, leInf=20)
    assert vector("histogram_fraction(0, 2, h_bucket)") == {"": 0.5}
    assert vector("histogram_fraction(1, +Inf, h_bucket)") == {"": 0.75}
    assert vector("histogram_fraction(2, 1, h_bucket)") == {"": 0}


def test_buckets_that_come_later_join_from_their_first_step(source: Any) -> None:
    source.load('h_bucket{le="1"}', 100, [4.0] * 4)
    source.load('h_bucket{le="+Inf"}', 100, [8.0] * 4)
    source.load('h_bucket{le="0.5"}', 100, [4.0] * 2, start=200)
    (series,) = promql.range(source, "histogram_quantile(0.25, h_bucket)", 0, 300_000, 100_000)
    assert series.values.tolist() == [0.5, 0.5, 0.25, 0.25]
