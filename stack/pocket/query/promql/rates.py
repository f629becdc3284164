"""rate, increase, delta, irate, idelta, resets, changes (promql/functions.go: extrapolatedRate, instantValue)."""

from __future__ import annotations

import numpy as np

from pocket.query.promql.selecting import Windows
from pocket.query.promql.table import Bools, Floats, Ints

Result = tuple[Floats, Bools]


def rate(w: Windows) -> Result:
    return _extrapolated(w, counter=True, per_second=True)


def increase(w: Windows) -> Result:
    return _extrapolated(w, counter=True)


def delta(w: Windows) -> Result:
    return _extrapolated(w, counter=False)


def irate(w: Windows) -> Result:
    difference, seconds, present = _last_two(w, counter=True)
    return difference / np.where(present, seconds, 1), present


def idelta(w: Windows) -> Result:
    difference, _, present = _last_two(w, counter=False)
    return difference, present


def resets(w: Windows) -> Result:
    return _count_steps(w, _drops(w))


def changes(w: Windows) -> Result:
    values = w.samples.values
    differs = np.zeros(len(values), dtype=bool)
    differs[1:] = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return _count_steps(w, differs)


def _drops(w: Windows) -> Bools:
    """At each sample, whether it is below the one before (across series too: no window reaches over)."""
    values = w.samples.values
    falls = np.zeros(len(values), dtype=bool)
    falls[1:] = values[1:] < values[:-1]
    return falls


def _count_steps(w: Windows, marked: Bools) -> Result:
    """How many marked samples each window has, its first not counted."""
    running = np.concatenate([[0], np.cumsum(marked)])
    return (running[w.last] - running[w.first + 1]).astype(np.float64), np.ones(len(w.first), dtype=bool)


def _correction(w: Windows, difference: Floats) -> Floats:
    """Adds at each counter reset in a window what the counter had before, one reset after the other."""
    at = np.flatnonzero(_drops(w))
    if not len(at):
        return difference
    before = w.samples.values[at - 1]
    here, behind = np.searchsorted(at, w.first + 1), np.searchsorted(at, w.last)
    for rank in range(int((behind - here).max(initial=0))):
        some = here + rank < behind
        difference[some] += before[here[some] + rank]
    return difference


def _extrapolated(w: Windows, *, counter: bool, per_second: bool = False) -> Result:
    values, t_ms = w.samples.values, w.samples.t_ms
    present = w.counts > 1
    first, last = values[w.first], values[w.last - 1]
    difference = last - first
    if counter:
        difference = _correction(w, difference)
    factor = _factor(w, t_ms[w.first], t_ms[w.last - 1], first if counter else None, difference)
    if per_second:
        factor = factor / ((w.end_ms - w.start_ms) / 1000)
    return difference * factor, present


def _factor(w: Windows, first_ms: Ints, last_ms: Ints, first: Floats | None, difference: Floats) -> Floats:
    """How much longer the assumed span of the series is than that of its samples.

    To a boundary nearer than 1.1 mean distances the series is taken to reach, else half a mean distance further;
    a counter (`first` given) not beyond the time at which it would have been zero.
    """
    sampled = (last_ms - first_ms) / 1000
    average = sampled / np.maximum(w.counts - 1, 1)
    to_start, to_end = (first_ms - w.start_ms) / 1000, (w.end_ms - last_ms) / 1000
    to_start = np.where(to_start >= average * 1.1, average / 2, to_start)
    to_end = np.where(to_end >= average * 1.1, average / 2, to_end)
    if first is not None:
        rising = (difference > 0) & (first >= 0)
        to_zero = np.where(rising, sampled * (first / np.where(rising, difference, 1)), to_start)
        to_start = np.where(to_zero < to_start, to_zero, to_start)
    return np.where(sampled != 0, (sampled + to_start + to_end) / np.where(sampled != 0, sampled, 1), 1.0)


def _last_two(w: Windows, *, counter: bool) -> tuple[Floats, Floats, Bools]:
    values, t_ms = w.samples.values, w.samples.t_ms
    newest = w.last - 1
    older = np.maximum(newest - 1, w.first)
    present = (w.counts > 1) & (t_ms[newest] > t_ms[older])
    difference = values[newest] - values[older]
    if counter:
        difference = np.where(values[newest] < values[older], values[newest], difference)
    return difference, (t_ms[newest] - t_ms[older]) / 1000, present
