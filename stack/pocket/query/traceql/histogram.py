"""Tempo's histograms: buckets at powers of two, quantiles interpolated exponentially (engine_metrics.go)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping


def count(values: Iterable[float], *, seconds: bool) -> Counter[float]:
    """Values by their bucket's upper bound, below 2 not counted; `seconds`: they are ns, bounds are in seconds."""
    scale = 1e9 if seconds else 1.0
    return Counter(_bound(int(value)) / scale for value in values if value >= 2)


def _bound(value: int) -> float:
    return float(1 << (value - 1).bit_length())


def quantile(q: float, counts: Mapping[float, int]) -> float:
    """The q-quantile; 0 without samples, and for a q outside [0, 1]."""
    total = sum(counts.values())
    if not total or not 0 <= q <= 1:
        return 0.0
    wanted, seen, below = max(1, math.ceil(q * total)), 0, 0.0
    for bound in sorted(counts):
        if seen + counts[bound] > wanted:
            low = math.log2(below) if below else math.log2(bound) - 1
            return float(2 ** (low + (math.log2(bound) - low) * (wanted - seen) / counts[bound]))
        seen += counts[bound]
        if seen == wanted:
            return bound
        below = bound
    return below
