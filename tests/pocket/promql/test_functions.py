"""Functions by their definition; the comparison with a real Prometheus is in test_against_prometheus."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pocket.query import promql

Vector = Any


def test_a_rate_is_extrapolated_to_the_edges_of_its_range(source: Any, vector: Vector) -> None:
    source.load("a_total", 10, [100.0 + 10 * i for i in range(13)])
    # Samples at 70 … 120 in (60, 120]: 50 s rising by 50, stretched by the 10 s to the left edge.
    assert vector("increase(a_total[1m])", 120) == {"": pytest.approx(60)}
    assert vector("rate(a_total[1m])", 120) == {"": pytest.approx(1)}
    # 100 to 120 in (55, 125]; both edges nearer than 1.1 × 10 s.
    assert vector("increase(a_total[70s])", 125) == {"": pytest.approx(70)}


def test_a_series_that_begins_in_the_range_is_extrapolated_by_half_a_distance(source: Any, vector: Vector) -> None:
    source.load("a_total", 10, [100.0, 110.0, 120.0], start=100)
    assert vector("increase(a_total[2m])", 120) == {"": pytest.approx(25)}


def test_a_counter_is_not_extrapolated_below_zero(source: Any, vector: Vector) -> None:
    source.load("a_total", 10, [2.0, 12.0, 22.0], start=100)
    assert vector("increase(a_total[2m])", 120) == {"": pytest.approx(22)}
    assert vector("delta(a_total[2m])", 120) == {"": pytest.approx(25)}


def test_counter_resets_count_from_zero(source: Any, vector: Vector) -> None:
    source.load("a_total", 10, [0, 50.0, 5.0, 10.0, 2.0, 3.0, 3.0])
    assert vector("resets(a_total[2m])", 60) == {"": 2}
    assert vector("changes(a_total[2m])", 60) == {"": 5}
    assert vector("increase(a_total[1m])", 50) == {"": pytest.approx(63)}
    assert vector("irate(a_total[1m])", 40) == {"": pytest.approx(0.2)}
    assert vector("idelta(a_total[1m])", 40) == {"": -8}


def test_one_sample_is_no_rate(source: Any, vector: Vector) -> None:
    source.load("a_total", 10, [1.0])
    for name in ("rate", "increase", "delta", "irate", "idelta", "deriv"):
        assert vector(f"{name}(a_total[1m])", 5) == {}
    assert vector("changes(a_total[1m])", 5) == {"": 0}


def test_averages_survive_an_overflow_and_sums_rounding(source: Any, vector: Vector) -> None:
    source.load("big", 10, [1e308, 1e308, 1e308])
    source.load("small", 10, [1e16, 1.0, -1e16])
    assert vector("avg_over_time(big[1m])", 20) == {"": pytest.approx(1e308)}
    assert vector("sum_over_time(big[1m])", 20) == {"": math.inf}
    assert vector("sum_over_time(small[1m])", 20) == {"": 1}
    assert vector("avg({__name__=~'big'}) + 0", 20) == {"": 1e308}


def test_windows_longer_than_a_chunk_of_them_are_all_evaluated(source: Any) -> None:
    for n in range(50):
        source.load(f'a{{n="{n}"}}', 1, [float(n)] * 300)
    series = promql.range(source, "avg_over_time(a[10s])", 0, 299_000, 100)
    assert len(series) == 50
    assert all((one.values == float(one.labels["n"])).all() and len(one.values) == 2991 for one in series)


def test_quantiles_interpolate_and_sort_nan_below(source: Any, vector: Vector) -> None:
    source.load("a", 10, [3.0, 1.0, float("nan"), 2.0])
    assert vector("quantile_over_time(1, a[1m])", 30) == {"": 3}
    assert vector("quantile_over_time(0.5, a[1m])", 30) == {"": 1.5}
    assert math.isnan(vector("quantile_over_time(0.1, a[1m])", 30)[""])
    assert vector("quantile_over_time(-0.1, a[1m])", 30) == {"": -math.inf}


def test_absent_tells_the_labels_it_looked_for(source: Any, vector: Vector) -> None:
    assert vector('absent(a{b="c", d=~"e", f="g", f="h"})') == {'{b="c"}': 1}
    source.load("a", 10, [1.0])
    assert vector("absent(a)") == {}
    assert vector("absent_over_time(a[1m])", 30) == {}


def test_scalar_wants_exactly_one(source: Any) -> None:
    source.load('a{n="1"}', 10, [1.0])
    source.load('a{n="2"}', 10, [2.0])
    for query, value in (("scalar(a)", math.nan), ('scalar(a{n="2"})', 2.0), ("scalar(b)", math.nan)):
        result = promql.instant(source, query, 0)
        assert isinstance(result, promql.Scalar)
        assert result.value == pytest.approx(value, nan_ok=True)


def test_clamp_with_crossed_limits_is_empty(source: Any, vector: Vector) -> None:
    source.load("a", 10, [5.0])
    assert vector("clamp(a, 1, 3)") == {"": 3}
    assert vector("clamp(a, 3, 1)") == {}
    assert vector("clamp(a * -Inf, 2, NaN)") == {"": 2}
    assert vector("round(a / 4, 0.5)") == {"": 1.5}


def test_names_go_where_values_are_new(source: Any, vector: Vector) -> None:
    source.load('a{n="1"}', 10, [5.0])
    assert vector("last_over_time(a[1m])") == {'a{n="1"}': 5}
    assert vector("max_over_time(a[1m])") == {'{n="1"}': 5}
    assert vector("a > 1") == {'a{n="1"}': 5}
    assert vector("a > bool 1") == {'{n="1"}': 1}
    assert vector("sort(a)") == {'a{n="1"}': 5}


def test_series_that_become_the_same_are_an_error(source: Any, vector: Vector) -> None:
    source.load("a", 10, [1.0])
    source.load("b", 10, [2.0])
    for query in ('abs({__name__=~"a|b"})', '-{__name__=~"a|b"}', 'max_over_time({__name__=~"a|b"}[1m])'):
        with pytest.raises(promql.QueryError, match="vector cannot contain metrics with the same labelset"):
            vector(query)


def test_series_that_become_the_same_at_different_times_are_joined(source: Any) -> None:
    source.load("a", 10, [1.0], start=0)
    source.load("b", 10, [2.0], start=600)
    (series,) = promql.range(source, '-{__name__=~"a|b"}', 0, 600_000, 200_000)
    assert (series.t_ms.tolist(), series.values.tolist()) == ([0, 200_000, 600_000], [-1, -1, -2])


@pytest.mark.parametrize(
    ("replacement", "pattern", "labels"),
    [
        ("$1", "(.*):.*", '{a="h:1", b="h"}'),
        ("${1}0-$2-$$", "(.*):(.*)", '{a="h:1", b="h0-1-$"}'),
        ("$n", "(?P<n>.):.", '{a="h:1", b="h"}'),
        ("x", "h", '{a="h:1"}'),
        ("$7", "h:1", '{a="h:1"}'),
    ],
)
def test_label_replace_matches_all_and_expands_groups(
    source: Any, vector: Vector, replacement: str, pattern: str, labels: str
) -> None:
    source.load('m{a="h:1"}', 10, [1.0])
    assert vector(f'label_replace(m, "b", "{replacement}", "a", "{pattern}")') == {f"m{labels}": 1}


def test_labels_are_joined(source: Any, vector: Vector) -> None:
    for n in ("10", "9"):
        source.load(f'm{{n="{n}"}}', 10, [1.0])
    joined = vector('label_join(m, "k", "-", "n", "x", "n")')
    assert joined == {'m{k="10--10", n="10"}': 1, 'm{k="9--9", n="9"}': 1}


def test_dates_are_utc(source: Any, vector: Vector) -> None:
    moment = "vector(1709210096)"  # 2024-02-29 12:34:56, a Thursday
    got = [vector(f"{name}({moment})")[""] for name in ("year", "month", "day_of_month", "day_of_year")]
    got += [vector(f"{name}({moment})")[""] for name in ("day_of_week", "days_in_month", "hour", "minute")]
    assert got == [2024, 2, 29, 60, 4, 29, 12, 34]
    assert vector("year()", 1709210096) == {"": 2024}
    assert vector("timestamp(vector(0))", 7) == {"": 7}


def test_annotations_name_the_place(source: Any) -> None:
    source.load("a", 10, [1.0, 2.0])
    notes = promql.instant(source, "sum(rate(a[1m]))\n + quantile(2, a)", 10_000).annotations
    place = 'name does not end in _total/_sum/_count/_bucket: "a" (1:10)'
    assert notes.infos == [f"PromQL info: metric might not be a counter, {place}"]
    assert notes.warnings == ["PromQL warning: quantile value should be between 0 and 1, got 2 (2:13)"]
