"""Sums as Prometheus makes them: Kahan's, in Neumaier's variant, over many windows or groups at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pocket.query.promql.selecting import Windows
from pocket.query.promql.table import Floats, Ints

AnyFloats = npt.NDArray[np.float64]


def add(total: AnyFloats, carry: AnyFloats, increment: AnyFloats) -> None:
    """In place `total += increment`, with what rounding lost put into `carry` (util/kahansum.Inc)."""
    after = total + increment
    larger = np.abs(total) >= np.abs(increment)
    carry += np.where(larger, (total - after) + increment, (increment - after) + total)
    carry[np.isinf(after)] = 0.0
    total[...] = after


class Ranks:
    """Walks all windows in step: first sample of each, second of each, … with windows ordered longest first.

    State kept by the caller in that order is brought back by `restore`.
    """

    def __init__(self, windows: Windows) -> None:
        counts = windows.counts
        self._order = np.argsort(-counts, kind="stable")
        self._first = windows.first[self._order]
        self.counts = counts[self._order]
        self._windows = windows

    def __iter__(self) -> Iterator[tuple[int, Ints]]:
        """(how many windows have a sample of this rank, the samples' indices)."""
        longest = int(self.counts[0]) if len(self.counts) else 0
        for rank in range(longest):
            some = int(np.searchsorted(-self.counts, -rank, side="left"))
            yield some, self._first[:some] + rank

    def restore(self, values: Floats) -> Floats:
        result = np.empty_like(values)
        result[self._order] = values
        return result

    def arrange(self, values: Floats) -> Floats:
        """Values given one a window, in the order of the ranks."""
        return values[self._order]


def mean(values: Sequence[float]) -> float:
    """Prometheus' mean of one series of values: direct while the sum is finite, incremental from there on."""
    total, carry, current = values[0], 0.0, 0.0
    incremental = False
    for count, value in enumerate(values[1:], start=2):
        if not incremental:
            new_total, new_carry = _increment(value, total, carry)
            if not math.isinf(new_total):
                total, carry = new_total, new_carry
                continue
            incremental, current, carry = True, total / (count - 1), carry / (count - 1)
        share = (count - 1) / count
        current, carry = _increment(value / count, share * current, share * carry)
    return current + carry if incremental else total / len(values) + carry / len(values)


def _increment(increment: float, total: float, carry: float) -> tuple[float, float]:
    after = total + increment
    if math.isinf(after):
        return after, 0.0
    if abs(total) >= abs(increment):
        return after, carry + ((total - after) + increment)
    return after, carry + ((increment - after) + total)
