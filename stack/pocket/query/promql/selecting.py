"""Selectors: which sample stands at a step, which samples lie in a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocket.query.promql import ast, labels
from pocket.query.promql.context import Context
from pocket.query.promql.table import Floats, Ints, Table
from pocket.rows import STALE_NAN, Labels, Series

STALE_BITS = np.array([STALE_NAN]).view(np.int64)[0]


@dataclass(slots=True)
class Samples:
    """The samples of all series one after the other: series i has those from `bounds[i]` to `bounds[i + 1]`."""

    labels: list[Labels]
    t_ms: Ints
    values: Floats
    bounds: Ints

    def find(self, times: Ints) -> Ints:
        """(series × times): index behind the last sample at or before each time, never outside the series.

        One binary search over all series: each series' times are moved behind those of the one before.
        """
        counts = np.diff(self.bounds)
        low, high = (int(self.t_ms.min()), int(self.t_ms.max())) if len(self.t_ms) else (0, 0)
        span = high - low + 2
        shift = np.arange(len(counts), dtype=np.int64) * span
        keys = self.t_ms - low + np.repeat(shift, counts)
        wanted = np.clip(times - low, -1, high - low)[None, :] + shift[:, None]
        return np.searchsorted(keys, wanted.ravel(), side="right").reshape(wanted.shape).astype(np.int64)


@dataclass(slots=True)
class Windows:
    """Range vectors of all series at all steps, series by series: window w has samples first[w]:last[w]."""

    samples: Samples
    first: Ints
    last: Ints
    start_ms: Ints  # excluded
    end_ms: Ints  # included
    step: Ints  # which step the window belongs to
    steps: int

    @property
    def counts(self) -> Ints:
        return self.last - self.first

    def some(self, chosen: Ints) -> Windows:
        return Windows(
            self.samples, self.first[chosen], self.last[chosen], self.start_ms[chosen], self.end_ms[chosen],
            self.step[chosen], self.steps,
        )  # fmt: skip


def flatten(series: Sequence[Series], *, keep_stale: bool) -> Samples:
    """Series in label order; staleness markers are no samples of a range vector."""
    ordered = sorted(series, key=lambda one: labels.key(one.labels))
    t_ms = np.concatenate([one.t_ms for one in ordered]) if ordered else np.empty(0, dtype=np.int64)
    values = np.concatenate([one.values for one in ordered]) if ordered else np.empty(0)
    bounds = np.concatenate([[0], np.cumsum([len(one.t_ms) for one in ordered], dtype=np.int64)]).astype(np.int64)
    if not keep_stale:
        live = values.view(np.int64) != STALE_BITS
        bounds = np.concatenate([[0], np.cumsum(live)])[bounds].astype(np.int64)
        t_ms, values = t_ms[live], values[live]
    return Samples([one.labels for one in ordered], t_ms.astype(np.int64), values, bounds)


def reference_times(context: Context, offset_ms: int, at: ast.At) -> Ints:
    """The times a selector looks at: the steps, or the time pinned by `@`, moved back by the offset."""
    if at is None:
        return context.times - offset_ms
    pinned = {"start": context.start_ms, "end": context.end_ms}[at] if isinstance(at, str) else at
    return np.full(len(context.times), pinned - offset_ms, dtype=np.int64)


def instant(context: Context, selector: ast.Selector, *, timestamps: bool = False) -> Table:
    """The newest sample of each series within the lookback (left-open since Prometheus 3), if it is not stale.

    With `timestamps` the values are the samples' times in seconds.
    """
    times = reference_times(context, selector.offset_ms, selector.at)
    lookback = context.limits.lookback_ms
    found = context.source.select(selector.matchers, int(times.min()) - lookback + 1, int(times.max()))
    context.check(len(found) * len(times))
    samples = flatten(found, keep_stale=True)
    last = samples.find(times) - 1
    there = last >= samples.bounds[:-1, None]
    at = np.where(there, last, 0)
    if not len(samples.t_ms):
        return Table(samples.labels, np.zeros(last.shape), there).compact()
    present = there & (samples.t_ms[at] > times - lookback) & (samples.values.view(np.int64)[at] != STALE_BITS)
    values = samples.t_ms[at] / 1000 if timestamps else samples.values[at]
    return Table(samples.labels, values, present).compact()


def windows(context: Context, node: ast.Range) -> Windows:
    """The range vector of a matrix selector at every step."""
    times = reference_times(context, node.selector.offset_ms, node.selector.at)
    found = context.source.select(node.selector.matchers, int(times.min()) - node.range_ms + 1, int(times.max()))
    context.check(len(found) * len(times))
    return slide(flatten(found, keep_stale=False), times, node.range_ms)


def slide(samples: Samples, times: Ints, range_ms: int) -> Windows:
    """Windows (time − range, time] over all series."""
    count = len(samples.labels)
    return Windows(
        samples,
        samples.find(times - range_ms).ravel(),
        samples.find(times).ravel(),
        np.tile(times - range_ms, count),
        np.tile(times, count),
        np.tile(np.arange(len(times), dtype=np.int64), count),
        len(times),
    )


def as_samples(table: Table, times: Ints) -> Samples:
    """A subquery's result as samples at its own steps."""
    rows, columns = np.nonzero(table.present)
    counts = np.bincount(rows, minlength=len(table.labels))
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Samples(table.labels, times[columns], table.values[rows, columns], bounds)
