"""deriv and predict_linear (promql/functions.go: linearRegression)."""

from __future__ import annotations

import numpy as np

from pocket.query.promql.selecting import Windows
from pocket.query.promql.summing import Ranks, add
from pocket.query.promql.table import Bools, Floats, Ints

Result = tuple[Floats, Bools]


def derivative(w: Windows) -> Result:
    """Slope per second; times are counted from the window's first sample for the sake of precision."""
    slope, _ = _least_squares(w, w.samples.t_ms[w.first])
    return slope, w.counts > 1


def predict(w: Windows, seconds: Floats, now_ms: Ints) -> Result:
    """The regression line's value `seconds` after the evaluation time."""
    slope, intercept = _least_squares(w, now_ms)
    return slope * seconds + intercept, w.counts > 1


def _least_squares(w: Windows, zero_ms: Ints) -> tuple[Floats, Floats]:
    ranks = Ranks(w)
    totals = [np.zeros(len(w.first)) for _ in range(8)]
    zero = ranks.arrange(zero_ms.astype(np.float64))
    start = ranks.arrange(w.samples.values[w.first])
    constant = np.ones(len(w.first), dtype=bool)
    for some, at in ranks:
        x, y = (w.samples.t_ms[at] - zero[:some]) / 1000, w.samples.values[at]
        constant[:some] &= y == start[:some]
        for i, term in enumerate((x, y, x * y, x * x)):
            add(totals[2 * i][:some], totals[2 * i + 1][:some], term)
    slope, intercept = _line(totals, ranks.counts)
    flat = np.where(np.isinf(start), np.nan, 0.0)
    slope, intercept = np.where(constant, flat, slope), np.where(constant, start + flat, intercept)
    return ranks.restore(slope), ranks.restore(intercept)


def _line(totals: list[Floats], n: Ints) -> tuple[Floats, Floats]:
    x, y, xy, xx = (totals[2 * i] + totals[2 * i + 1] for i in range(4))
    covariance, variance = xy - x * y / n, xx - x * x / n
    slope = covariance / variance
    return slope, y / n - slope * x / n
