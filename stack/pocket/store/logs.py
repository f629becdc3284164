"""Log lines: streams by label set, entries by time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import orjson

from pocket.rows import Labels, LogEntry, Matcher
from pocket.store.database import PAGE, Columns, Connection, Database, Row, among, insert, text
from pocket.store.index import BEFORE_ALL, LabelIndex
from pocket.store.paging import pages
from pocket.store.repeats import Mask, first_of_each, stored


class Logs:
    """Queries over log streams. Times are Unix nanoseconds, the end is exclusive."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.index = LabelIndex("streams", database, "logs", "t_ns", "stream")

    def streams(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> list[Labels]:
        """Label sets with lines in start ≤ t < end, in Unix ns."""
        return [dict(labels) for labels in self.index.all(self.index.find(matchers, start_ns, end_ns - 1))]

    def label_names(self, start_ns: int, end_ns: int) -> list[str]:
        return self.index.names(self.index.find((), start_ns, end_ns - 1))

    def label_values(self, name: str, start_ns: int, end_ns: int, matchers: Sequence[Matcher] = ()) -> list[str]:
        return self.index.label_values(name, self.index.find(matchers, start_ns, end_ns - 1))

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        limit: int | None = None,
        newest_first: bool | None = True,
        contains: Sequence[str] = (),
    ) -> Iterator[LogEntry]:
        """Entries of start ≤ t < end (Unix ns) in the order of time, or (None) as they come.

        `contains` are substrings that the line must have. A page is fetched at a time. Entries of a stream share
        their labels' dict.
        """
        ids = self.index.find(matchers, start_ns, end_ns - 1)
        if not ids or limit == 0:
            return
        where = " and ".join([among("stream", ids), *["contains(line, ?)"] * len(contains)])
        select = "select t_ns, stream, line, metadata from logs"
        if newest_first is None:
            scan = f"{select} where {where} and t_ns >= ? and t_ns < ?"
            found = self._database.stream(scan, [*contains, start_ns, end_ns], ids=ids)
        else:
            page = PAGE if limit is None else min(PAGE, limit + 1)
            found = pages(self._database, select, where, contains, "t_ns", start_ns, end_ns,
                          newest_first=newest_first, ids=ids, page=page)  # fmt: skip
        yield from islice(self._entries(found), limit)

    def _entries(self, found: Iterable[list[Row]]) -> Iterator[LogEntry]:
        values, known = self.index.values, dict[int, Labels]()
        for rows in found:
            for t_ns, stream, line, metadata in rows:
                labels = known.get(stream)
                if labels is None:
                    if stream not in values:  # retention has just removed it
                        continue
                    labels = known[stream] = dict(values[stream])
                yield LogEntry(labels, t_ns, line, orjson.loads(metadata) if metadata else {})

    def stats(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> dict[str, int]:
        """`{streams, chunks, entries, bytes}` of start ≤ t < end, in Unix ns."""
        ids = self.index.find(matchers, start_ns, end_ns - 1)
        if not ids:
            return {"streams": 0, "chunks": 0, "entries": 0, "bytes": 0}
        [(streams, entries, size)] = self._database.query(
            "select count(distinct stream), count(*), coalesce(sum(strlen(line)), 0)::bigint from logs"  # noqa: S608
            f" where t_ns >= ? and t_ns < ? and {among('stream', ids)}",
            [start_ns, end_ns],
            ids=ids,
        )
        # A chunk is Loki's unit of storage; here a stream is one piece.
        return {"streams": streams, "chunks": streams, "entries": entries, "bytes": size}


class LogTable:
    """Appends entries. One that equals a stored one in stream, time, line and structured metadata is dropped, as
    Loki 3.7 does (pkg/chunkenc/unordered.go), here however long ago that one came."""

    def __init__(self, logs: Logs, repeated: Callable[[int], None]) -> None:
        self._index, self._repeated = logs.index, repeated

    def insert(self, cursor: Connection, rows: Sequence[LogEntry]) -> None:
        columns = self._columns(rows)
        new = first_of_each(zip(*(column.tolist() for column in columns.values()), strict=True))
        new &= ~stored(cursor, "logs", "t_ns", columns, new & ~self._newer(columns))
        if not new.all():
            self._repeated(int((~new).sum()))
        columns = {name: column[new] for name, column in columns.items()}
        self._index.write(cursor)
        if new.any():
            insert(cursor, "logs", columns)
        self._index.note(columns["stream"].tolist(), columns["t_ns"].tolist())

    def _columns(self, rows: Sequence[LogEntry]) -> Columns:
        return {
            "stream": np.array(self._index.ids_of([row.labels for row in rows]), np.int32),
            "t_ns": np.array([row.t_ns for row in rows], np.int64),
            "line": text([row.line for row in rows]),
            "metadata": text([_json(row.structured_metadata) for row in rows]),
        }

    def _newer(self, columns: Columns) -> Mask:
        """What is newer than all of its stream is no repeat. That is nearly every line, so little is looked up."""
        last = {id_: self._index.last(id_) for id_ in set(columns["stream"].tolist())}
        known = [BEFORE_ALL if (t := last[id_]) is None else t for id_ in columns["stream"].tolist()]
        newer: Mask = columns["t_ns"] > np.array(known, np.int64)
        return newer


def _json(value: Labels) -> str | None:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else None
