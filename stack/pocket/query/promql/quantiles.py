"""φ-quantiles of plain values (promql/quantile.go: quantile)."""

from __future__ import annotations

import numpy as np

from pocket.query.promql.table import Floats, Ints


def quantile_of_rows(q: Floats, rows: Floats) -> Floats:
    """One quantile a row of a full matrix; NaN sorts below all numbers."""
    counts = np.full(len(rows), rows.shape[1], dtype=np.int64)
    return quantile_of_sorted(q, np.sort(rows, axis=1), counts, np.isnan(rows).sum(axis=1))


def quantile_of_sorted(q: Floats, rows: Floats, counts: Ints, nans: Ints) -> Floats:
    """`rows` sorted by numpy (NaN and padding behind the numbers); of each row's `counts` values `nans` are NaN.

    Interpolates linearly between the two nearest ranks; q outside [0, 1] gives ∓Inf, NaN gives NaN.
    """
    inside = np.where(np.isnan(q), 0.0, np.clip(q, 0.0, 1.0))
    rank = inside * (counts - 1)
    lower = np.maximum(np.floor(rank), 0).astype(np.int64)
    upper = np.minimum(lower + 1, np.maximum(counts - 1, 0))
    weight = rank - np.floor(rank)
    result = _pick(rows, lower, nans) * (1 - weight) + _pick(rows, upper, nans) * weight
    result = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, result))
    return np.where(np.isnan(q) | (counts == 0), np.nan, result)


def _pick(rows: Floats, rank: Ints, nans: Ints) -> Floats:
    index = np.clip(rank - nans, 0, rows.shape[1] - 1)
    values = np.take_along_axis(rows, index[:, None], axis=1)[:, 0]
    return np.where(rank < nans, np.nan, values)
