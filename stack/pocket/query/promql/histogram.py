"""histogram_quantile and histogram_fraction over classic buckets (promql/quantile.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pocket.query.numbers import general
from pocket.query.promql import labels
from pocket.query.promql.context import Context, warn_of_quantiles
from pocket.query.promql.table import Bools, Floats, Ints, Table, concatenate, empty, merge, single

SMALL_DELTA = 1e-12  # relative differences between buckets below this are rounding, not a broken histogram
MIN_NORMAL = 2.2250738585072014e-308
# (upper bounds ascending, cumulative counts (buckets × steps), numbers of the steps) → one value a step
Evaluate = Callable[[Floats, Floats, Ints], Floats]


@dataclass(slots=True)
class Corrections:
    """What had to be put right to make counts grow with the bound, for the one message that tells of it."""

    steps: list[int]
    lowest: float = np.inf
    highest: float = -np.inf
    difference: float = 0.0


def quantile(context: Context, q: Floats, table: Table, q_pos: int, pos: int) -> Table:
    """`q` is one φ a step. Messages name the positions of the two arguments."""
    warn_of_quantiles(context, q, q_pos)
    corrections = Corrections([])

    def evaluate(bounds: Floats, counts: Floats, steps: Ints) -> Floats:
        return quantile_of_buckets(q[steps], bounds, counts, steps, corrections)

    result = _each_histogram(context, table, evaluate, pos)
    if corrections.steps:
        _tell(context, corrections, pos)
    return result


def fraction(context: Context, lower: Floats, upper: Floats, table: Table, pos: int) -> Table:
    """Share of the observations between `lower` and `upper`, each one value a step."""

    def evaluate(bounds: Floats, counts: Floats, steps: Ints) -> Floats:
        return fraction_of_buckets(lower[steps], upper[steps], bounds, counts)

    return _each_histogram(context, table, evaluate, pos)


def _tell(context: Context, found: Corrections, pos: int) -> None:
    first, last = (
        datetime.fromtimestamp(int(context.times[i]) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for i in (min(found.steps), max(found.steps))
    )
    context.inform(
        "input to histogram_quantile needed to be fixed for monotonicity (see"
        " https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), from buckets"
        f" {general(found.lowest)} to {general(found.highest)}, with a max diff of {general(found.difference, 2)},"
        f" over {len(found.steps)} samples from {first} to {last}",
        pos,
    )


def _each_histogram(context: Context, table: Table, evaluate: Evaluate, pos: int) -> Table:
    results = [empty(table.steps)]
    for rows, bounds in _histograms(context, table, pos):
        ascending = np.argsort(bounds, kind="stable")
        part = table.rows(np.asarray(rows)[ascending])
        metric = labels.without(part.labels[0], {labels.NAME, "le"})
        results.append(single(metric, *_by_pattern(part, bounds[ascending], evaluate)))
    return merge(concatenate(results))


def _histograms(context: Context, table: Table, pos: int) -> Iterator[tuple[list[int], Floats]]:
    """The series of each histogram with their upper bounds; its identity includes the metric's name."""
    groups: dict[labels.Key, tuple[list[int], list[float]]] = {}
    for i, one in enumerate(table.labels):
        bound = parse_bound(one.get("le", ""))
        if bound is None:
            context.warn(f'bucket label "le" is missing or has a malformed value of "{one.get("le", "")}"', pos)
            continue
        rows, bounds = groups.setdefault(labels.key(labels.without(one, {"le"})), ([], []))
        rows.append(i)
        bounds.append(bound)
    for rows, bounds in groups.values():
        yield rows, np.array(bounds)


def parse_bound(text: str) -> float | None:
    try:
        return float(text) if text.strip() == text and "_" not in text else None
    except ValueError:
        return None


def _by_pattern(part: Table, bounds: Floats, evaluate: Evaluate) -> tuple[Floats, Bools]:
    """Steps at which the same buckets are there are evaluated together."""
    values, some = np.zeros(part.steps), part.anywhere()
    patterns, which = np.unique(part.present, axis=1, return_inverse=True)
    for i, pattern in enumerate(patterns.T):
        steps = np.flatnonzero(which.ravel() == i)
        if pattern.any():
            there = np.flatnonzero(pattern)
            merged = _coalesce(bounds[there], part.values[np.ix_(there, steps)])
            values[steps] = evaluate(*merged, steps)
    return values, some


def _coalesce(bounds: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Buckets of equal bounds ("1" and "1.0") count together."""
    distinct, first = np.unique(bounds, return_index=True)
    return (bounds, counts) if len(distinct) == len(bounds) else (distinct, np.add.reduceat(counts, first, axis=0))


def quantile_of_buckets(q: Floats, bounds: Floats, counts: Floats, steps: Ints, found: Corrections) -> Floats:
    """BucketQuantile: NaN without a +Inf bucket, without observations or with fewer than two buckets."""
    outside = np.where(np.isnan(q), np.nan, np.where(q < 0, -np.inf, np.inf))
    inside = (q >= 0) & (q <= 1)
    if bounds[-1] != np.inf:
        return np.where(inside, np.nan, outside)
    counts = _monotonic(bounds, counts, np.where(inside, steps, -1), found)
    if len(bounds) < 2:
        return np.where(inside, np.nan, outside)
    result = np.where(counts[-1] == 0, np.nan, _interpolated(np.where(inside, q, 0.5), bounds, counts))
    return np.where(inside, result, outside)


def _interpolated(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Linear within the bucket that holds the rank; the lowest bucket starts at 0 if its bound is positive."""
    rank = q * counts[-1]
    reached = counts[:-1] >= rank
    bucket = np.where(reached.any(axis=0), reached.argmax(axis=0), len(bounds) - 1)
    below = np.maximum(bucket - 1, 0)
    column = np.arange(counts.shape[1])
    start = np.where(bucket > 0, bounds[below], 0.0)
    before = np.where(bucket > 0, counts[below, column], 0.0)
    share = (rank - before) / (counts[bucket, column] - before)
    result = start + (bounds[bucket] - start) * share
    result = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], result)
    return np.asarray(np.where(bucket == len(bounds) - 1, bounds[-2], result), dtype=np.float64)


def _monotonic(bounds: Floats, counts: Floats, steps: Ints, found: Corrections) -> Floats:
    """Counts with every decrease taken away; those above rounding are noted, except where the step is −1."""
    counts = counts.copy()
    previous = counts[0].copy()
    forced_at: set[int] = set()
    for i in range(1, len(bounds)):
        current = counts[i].copy()
        same = _almost_equal(previous, current)
        falls = (current < previous) & ~same
        noted = falls & (steps >= 0)
        if noted.any():
            forced_at.update(steps[noted].tolist())
            found.lowest = min(found.lowest, float(bounds[i]))
            found.highest = max(found.highest, float(bounds[i]))
            found.difference = max(found.difference, float((previous - current)[noted].max()))
        counts[i] = np.where(same | falls, previous, current)
        previous = counts[i]
    found.steps.extend(sorted(forced_at))
    return counts


def _almost_equal(a: Floats, b: Floats) -> Bools:
    """util/almost.Equal."""
    total, difference = np.abs(a) + np.abs(b), np.abs(a - b)
    tiny = (a == 0) | (b == 0) | (total < MIN_NORMAL)
    limited = np.minimum(np.where(total == 0, 1.0, total), np.finfo(np.float64).max)
    close = np.where(tiny, difference < SMALL_DELTA * MIN_NORMAL, difference / limited < SMALL_DELTA)
    return np.asarray((a == b) | close | (np.isnan(a) & np.isnan(b)), dtype=bool)


def fraction_of_buckets(lower: Floats, upper: Floats, bounds: Floats, counts: Floats) -> Floats:
    """BucketFraction: NaN without a +Inf bucket, without observations or with NaN limits."""
    if bounds[-1] != np.inf:
        return np.full(len(lower), np.nan)
    total = counts[-1]
    share = (_rank(upper, bounds, counts) - _rank(lower, bounds, counts)) / total
    result = np.where(lower >= upper, 0.0, share)
    return np.where((total == 0) | np.isnan(lower) | np.isnan(upper), np.nan, result)


def _rank(value: Floats, bounds: Floats, counts: Floats) -> Floats:
    """How many observations lie below the value, by linear interpolation within finite buckets."""
    rank = counts[-1].copy()
    taken = np.zeros(len(value), dtype=bool)
    low, before = (-np.inf if bounds[0] <= 0 else 0.0), np.zeros(len(value))
    for high, count in zip(bounds.tolist(), counts, strict=True):
        at_start = ~taken & (low >= value)
        inside = ~taken & ~at_start & (low < value) & (high > value)
        between = count if low == -np.inf else before + (count - before) * (value - low) / (high - low)
        rank = np.where(at_start, before, np.where(inside, between, rank))
        taken |= at_start | inside
        low, before = high, count
    return np.asarray(np.where(~taken | (rank > counts[-1]), counts[-1], rank), dtype=np.float64)
