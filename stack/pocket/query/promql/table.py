"""The engine's working form of an instant vector over all steps: one row a series, one column a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket.query.promql.labels import key
from pocket.query.promql.result import QueryError
from pocket.rows import Labels

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Table:
    """`values` and `present` are (series × steps); NaN is a value like any other, absence is `present` False."""

    labels: list[Labels]
    values: Floats
    present: Bools

    @property
    def steps(self) -> int:
        return int(self.values.shape[1])

    def rows(self, index: Sequence[int] | Ints) -> Table:
        """The rows with these numbers, in this order."""
        numbers = np.asarray(index, dtype=np.int64)
        return Table([self.labels[i] for i in numbers.tolist()], self.values[numbers], self.present[numbers])

    def compact(self) -> Table:
        """Without the series that have no sample at all."""
        some = np.flatnonzero(self.present.any(axis=1))
        return self if len(some) == len(self.labels) else self.rows(some)

    def anywhere(self) -> Bools:
        """At which steps any series has a sample."""
        return np.asarray(self.present.any(axis=0), dtype=bool)

    def relabelled(self, labels: list[Labels]) -> Table:
        return Table(labels, self.values, self.present)


def empty(steps: int) -> Table:
    return Table([], np.empty((0, steps)), np.empty((0, steps), dtype=bool))


def single(labels: Labels, values: Floats, present: Bools | None = None) -> Table:
    """One series."""
    there = np.ones(len(values), dtype=bool) if present is None else present
    return Table([labels], np.asarray(values, dtype=np.float64)[None, :], there[None, :]).compact()


def merge(table: Table, *, strict: bool = False) -> Table:
    """Joins rows of equal labels, as a range query's output does; a step that both have is an error.

    `strict` (functions of range vectors): equal labels are an error even when no step is shared.
    """
    table = table.compact()
    rows: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for i, labels in enumerate(table.labels):
        rows.setdefault(key(labels), []).append(i)
    if len(rows) == len(table.labels):
        return table
    if strict or any((table.present[same].sum(axis=0) > 1).any() for same in rows.values() if len(same) > 1):
        raise QueryError("execution", "vector cannot contain metrics with the same labelset")
    return _joined(table, list(rows.values()))


def _joined(table: Table, groups: list[list[int]]) -> Table:
    values = np.stack([np.where(table.present[g], table.values[g], 0.0).sum(axis=0) for g in groups])
    present = np.stack([table.present[g].any(axis=0) for g in groups])
    return Table([table.labels[g[0]] for g in groups], values, present)


def concatenate(tables: Sequence[Table]) -> Table:
    """All rows of tables with the same steps."""
    return Table(
        [labels for table in tables for labels in table.labels],
        np.concatenate([table.values for table in tables]),
        np.concatenate([table.present for table in tables]),
    )
