"""Profiles: one row a stack of a profile."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from pocket.rows import Labels, Matcher, ProfileSample
from pocket.store.database import Columns, Connection, Database, among, insert
from pocket.store.index import Dictionary, LabelIndex
from pocket.store.paging import pages

# The profile type is kept as a label of the series, as Pyroscope does.
TYPE = "__profile_type__"


class Profiles:
    """Queries over profiles. Times are Unix milliseconds, ranges include both ends."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.index = LabelIndex("profile_series", database, "profile_samples", "t_ms", "series")
        self.stacks = Dictionary("stacks", database, lambda stack: tuple(map(sys.intern, stack)), tuple)

    def types(self) -> list[str]:
        """The ids of all profile types, sorted."""
        return self.index.label_values(TYPE, list(self.index.values))

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets, each once whatever its profile types."""
        found = {frozenset(_public(labels).items()) for labels in self._labels(matchers, start_ms, end_ms)}
        return [dict(sorted(labels)) for labels in sorted(found, key=sorted)]

    def select(
        self, profile_type: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> Iterator[ProfileSample]:
        """Samples in [start, end], in Unix ms."""
        ids = self.index.find([Matcher(TYPE, "=", profile_type), *matchers], start_ms, end_ms)
        if not ids:
            return
        select = "select t_ms, series, stack, value from profile_samples"
        labels = {id_: _public(self.index.values[id_]) for id_ in ids if id_ in self.index.values}
        stacks = self.stacks.values
        for rows in pages(self._database, select, among("series", ids), [], "t_ms", start_ms, end_ms + 1,
                          newest_first=False, ids=ids):  # fmt: skip
            for t_ms, series, stack, value in rows:
                if series in labels and stack in stacks:
                    yield ProfileSample(profile_type, dict(labels[series]), t_ms, stacks[stack], value)

    def _labels(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        return self.index.all(self.index.find(matchers, start_ms, end_ms))


class ProfileTable:
    def __init__(self, profiles: Profiles) -> None:
        self._index, self._stacks = profiles.index, profiles.stacks

    def insert(self, cursor: Connection, rows: Sequence[ProfileSample]) -> None:
        columns: Columns = {
            "series": np.array([self._series(row) for row in rows], np.int32),
            "t_ms": np.array([row.t_ms for row in rows], np.int64),
            "stack": np.array([self._stacks.id_of(row.stack) for row in rows], np.int32),
            "value": np.array([row.value for row in rows], np.int64),
        }
        self._index.write(cursor)
        self._stacks.write(cursor)
        insert(cursor, "profile_samples", columns)
        self._index.note(columns["series"].tolist(), columns["t_ms"].tolist())

    def _series(self, row: ProfileSample) -> int:
        return self._index.id_of({**row.labels, TYPE: row.profile_type})


def _public(labels: Labels) -> Labels:
    return {name: value for name, value in labels.items() if name != TYPE}
