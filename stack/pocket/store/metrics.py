"""Samples, exemplars and metadata: Prometheus' data model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from pocket.budget import current
from pocket.rows import Exemplar, Labels, Matcher, MetricMetadata, Sample, Series
from pocket.store.database import Columns, Connection, Database, among, insert, text
from pocket.store.index import BEFORE_ALL, LabelIndex
from pocket.store.repeats import first_of_each, stored

BYTES_A_SAMPLE = 16  # time and value; sorting takes more, for a moment
Array = np.ndarray[Any, Any]
MatcherSets = Sequence[Sequence[Matcher]]


class Metrics:
    """Queries over series. Times are Unix milliseconds, ranges include both ends."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.index = LabelIndex("series", database, "samples", "t_ms", "series")
        rows = database.query("select name, type, help, unit from metadata")
        self.described = {row[0]: MetricMetadata(*row) for row in rows}

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """The matching series with at least one sample in the range, staleness markers as stored."""
        ids = self.index.find(matchers, start_ms, end_ms)
        if not ids:
            return []
        chosen = f"from samples where t_ms between ? and ? and {among('series', ids)}"
        [(count,)] = self._database.query(f"select count(*) {chosen}", [start_ms, end_ms], ids=ids)
        current().hold(count * BYTES_A_SAMPLE)
        rows = self._database.arrays(f"select series, t_ms, bits {chosen}", [start_ms, end_ms], ids=ids)
        return self._split(rows)

    def _split(self, rows: Columns) -> list[Series]:
        series, t_ms, values = rows["series"], rows["t_ms"], rows["bits"].view(np.float64)
        order = np.lexsort((t_ms, series))
        series, t_ms, values = series[order], t_ms[order], values[order]
        starts = np.flatnonzero(np.diff(series, prepend=-1))
        ends = [*starts[1:].tolist(), len(series)]
        labels = self.index.values
        return [
            Series(dict(labels[int(series[a])]), t_ms[a:b], values[a:b])
            for a, b in zip(starts.tolist(), ends, strict=True)
            if int(series[a]) in labels
        ]

    def series(self, matcher_sets: MatcherSets, start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets with samples in [start, end] (Unix ms) that a selector matches; all if there is none."""
        return [dict(labels) for labels in self.index.all(self.index.find_any(matcher_sets, start_ms, end_ms))]

    def label_names(self, matcher_sets: MatcherSets, start_ms: int, end_ms: int) -> list[str]:
        return self.index.names(self.index.find_any(matcher_sets, start_ms, end_ms))

    def label_values(self, name: str, matcher_sets: MatcherSets, start_ms: int, end_ms: int) -> list[str]:
        return self.index.label_values(name, self.index.find_any(matcher_sets, start_ms, end_ms))

    def exemplars(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Exemplar]:
        """Oldest first. The index knows samples' times only, an exemplar may be older than its series' samples."""
        ids = self.index.find(matchers, BEFORE_ALL, -BEFORE_ALL)
        if not ids:
            return []
        rows = self._database.query(
            "select series, labels, value, t_ms from exemplars"  # noqa: S608
            f" where t_ms between ? and ? and {among('series', ids)} order by t_ms",
            [start_ms, end_ms],
            ids=ids,
        )
        labels = self.index.values
        return [Exemplar(dict(labels[s]), orjson.loads(own), value, t) for s, own, value, t in rows if s in labels]

    def metadata(self) -> list[MetricMetadata]:
        """What was told last of each metric."""
        return list(self.described.values())


class SampleTable:
    """Appends samples. As in Prometheus, a sample not newer than its series' last one is dropped and counted."""

    def __init__(self, metrics: Metrics, out_of_order: Callable[[int], None]) -> None:
        self._index, self._out_of_order = metrics.index, out_of_order

    def insert(self, cursor: Connection, rows: Sequence[Sample]) -> None:
        id_of = self._index.id_of
        series = np.array([id_of(row.labels) for row in rows], np.int32)
        t_ms = np.array([row.t_ms for row in rows], np.int64)
        values = np.array([row.value for row in rows], np.float64)
        order = np.lexsort((t_ms, series))
        keep = order[self._newer(series[order], t_ms[order])]
        self._index.write(cursor)
        bits = values[keep].view(np.int64)
        insert(cursor, "samples", {"series": series[keep], "t_ms": t_ms[keep], "bits": bits})
        self._index.note(series[keep].tolist(), t_ms[keep].tolist())
        if len(keep) < len(rows):
            self._out_of_order(len(rows) - len(keep))

    def _newer(self, series: Array, t_ms: Array) -> Array:
        last = self._index.last
        known = np.array([BEFORE_ALL if (t := last(s)) is None else t for s in series.tolist()], np.int64)
        repeated = np.zeros(len(series), bool)
        repeated[1:] = (series[1:] == series[:-1]) & (t_ms[1:] == t_ms[:-1])
        newer: Array = (t_ms > known) & ~repeated
        return newer


class ExemplarTable:
    """Appends exemplars. A target shows its last ones at every scrape, so one that is known is dropped."""

    def __init__(self, metrics: Metrics, repeated: Callable[[int], None]) -> None:
        self._index, self._repeated = metrics.index, repeated

    def insert(self, cursor: Connection, rows: Sequence[Exemplar]) -> None:
        columns: Columns = {
            "series": np.array([self._index.id_of(row.series) for row in rows], np.int32),
            "t_ms": np.array([row.t_ms for row in rows], np.int64),
            "value": np.array([row.value for row in rows], np.float64),
            "labels": text([orjson.dumps(row.labels).decode() for row in rows]),
        }
        new = first_of_each(zip(*(column.tolist() for column in columns.values()), strict=True))
        new &= ~stored(cursor, "exemplars", "t_ms", columns, new)
        if not new.all():
            self._repeated(int((~new).sum()))
        self._index.write(cursor)
        if new.any():
            insert(cursor, "exemplars", {name: column[new] for name, column in columns.items()})


class MetadataTable:
    def __init__(self, metrics: Metrics) -> None:
        self._described = metrics.described
        self._new: dict[str, MetricMetadata] = {}

    def insert(self, cursor: Connection, rows: Sequence[MetricMetadata]) -> None:
        self._new = {row.name: row for row in rows if self._described.get(row.name) != row}
        for row in self._new.values():
            cursor.execute("delete from metadata where name = ?", [row.name])
            cursor.execute("insert into metadata values (?, ?, ?, ?)", [row.name, row.type, row.help, row.unit])

    def committed(self) -> None:
        self._described.update(self._new)
        self._new = {}

    def rolled_back(self) -> None:
        self._new = {}
