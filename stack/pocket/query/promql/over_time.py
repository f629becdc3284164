"""The `*_over_time` functions; windows are never empty here (promql/functions.go)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pocket.query.promql.quantiles import quantile_of_rows
from pocket.query.promql.selecting import Windows
from pocket.query.promql.summing import Ranks, add, mean
from pocket.query.promql.table import Bools, Floats, Ints

Result = tuple[Floats, Bools]


def _all(values: Floats) -> Result:
    return values, np.ones(len(values), dtype=bool)


def count(w: Windows) -> Result:
    return _all(w.counts.astype(np.float64))


def present(w: Windows) -> Result:
    return _all(np.ones(len(w.first)))


def first(w: Windows) -> Result:
    return _all(w.samples.values[w.first])


def last(w: Windows) -> Result:
    return _all(w.samples.values[w.last - 1])


def maximum(w: Windows) -> Result:
    """NaN only where all is NaN."""
    return _all(_reduce(np.fmax, w))


def minimum(w: Windows) -> Result:
    return _all(_reduce(np.fmin, w))


def _reduce(function: np.ufunc, w: Windows) -> Floats:
    """Every other span of first[0]:last[0]:first[1]:…; the extra value is the end of the last one."""
    borders = np.stack([w.first, w.last], axis=1).ravel()
    values = np.append(w.samples.values, np.nan)
    return np.asarray(function.reduceat(values, borders)[::2], dtype=np.float64)


def sums(w: Windows) -> Result:
    total, carry = _kahan(w)
    return _all(np.where(np.isinf(total), total, total + carry))


def average(w: Windows) -> Result:
    total, carry = _kahan(w)
    result = total / w.counts + carry / w.counts
    for i in np.flatnonzero(~np.isfinite(result)).tolist():  # rare: overflow changes the method from there on
        result[i] = mean(w.samples.values[w.first[i] : w.last[i]].tolist())
    return _all(result)


def _kahan(w: Windows) -> tuple[Floats, Floats]:
    ranks = Ranks(w)
    total, carry = np.zeros(len(w.first)), np.zeros(len(w.first))
    for some, at in ranks:
        add(total[:some], carry[:some], w.samples.values[at])
    return ranks.restore(total), ranks.restore(carry)


def variance(w: Windows) -> Result:
    """Welford's method, both running values with Kahan's correction."""
    ranks = Ranks(w)
    shape = len(w.first)
    middle, middle_carry, spread, spread_carry = (np.zeros(shape) for _ in range(4))
    for rank, (some, at) in enumerate(ranks, start=1):
        values = w.samples.values[at]
        difference = values - (middle[:some] + middle_carry[:some])
        add(middle[:some], middle_carry[:some], difference / rank)
        add(spread[:some], spread_carry[:some], difference * (values - (middle[:some] + middle_carry[:some])))
    return _all(ranks.restore((spread + spread_carry) / ranks.counts))


def deviation(w: Windows) -> Result:
    return _all(np.sqrt(variance(w)[0]))


def quantile(w: Windows, q: Floats) -> Result:
    result = np.empty(len(w.first))
    for chosen, rows in _matrices(w):
        result[chosen] = quantile_of_rows(q[chosen], rows)
    return _all(result)


def _matrices(w: Windows) -> Iterator[tuple[Ints, Floats]]:
    """Windows of equal length together: (their numbers, their values one window a row)."""
    for length in np.unique(w.counts).tolist():
        chosen = np.flatnonzero(w.counts == length)
        yield chosen, w.samples.values[w.first[chosen][:, None] + np.arange(length)]
