"""What the small tables hold, in memory: values by id, label sets by matcher and time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import orjson

from pocket.rows import Labels, Matcher
from pocket.store.database import Columns, Connection, Database, insert, text

BEFORE_ALL = -(1 << 62)  # a time no sample or line has


class Dictionary:
    """A persistent table id → JSON value, each value once. Only the writer thread adds to it."""

    def __init__(
        self, table: str, database: Database, decode: Callable[[Any], Any], key: Callable[[Any], Hashable]
    ) -> None:
        self.table, self._key = table, key
        rows = database.query(f"select id, value from {table}")  # noqa: S608
        self.values: dict[int, Any] = {id_: decode(orjson.loads(value)) for id_, value in rows}
        self._ids: dict[Hashable, int] = {key(value): id_ for id_, value in self.values.items()}
        self._next = max(self.values, default=-1) + 1
        self._pending: list[int] = []
        self._in_flight: list[int] = []

    def id_of(self, value: Any) -> int:
        """Its number; a new value gets the next one, and is written with the next commit."""
        key = self._key(value)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = self._next
            self._next += 1
            self.values[found] = value
            self._pending.append(found)
        return found

    def write(self, cursor: Connection) -> None:
        """Persist what is new, within the transaction of `cursor`."""
        if self._pending:
            values = [orjson.dumps(self.values[id_]).decode() for id_ in self._pending]
            columns: Columns = {"id": np.array(self._pending, np.int32), "value": text(values)}
            insert(cursor, self.table, columns)
            self._in_flight += self._pending
            self._pending = []

    def committed(self) -> None:
        self._in_flight = []

    def rolled_back(self) -> None:
        self._pending, self._in_flight = self._in_flight + self._pending, []

    def delete(self, cursor: Connection, ids: Sequence[int]) -> None:
        """From the table, within the transaction of `cursor`; `remove` does it in memory."""
        if ids:
            listed = ",".join(map(str, ids))
            cursor.execute(f"delete from {self.table} where id in ({listed})")  # noqa: S608 - ids are integers

    def remove(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            self._ids.pop(self._key(self.values.pop(id_)), None)


def labels_key(labels: Labels) -> Hashable:
    return frozenset(labels.items())


class LabelIndex(Dictionary):
    """Label sets by matcher and by the time range in which they had data (in the unit of their table)."""

    def __init__(self, table: str, database: Database, data: str, column: str, id_column: str) -> None:
        self._lock = threading.Lock()
        self._postings: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        self._range: dict[int, tuple[int, int]] = {}
        self._noted: dict[int, tuple[int, int]] = {}
        super().__init__(table, database, lambda labels: labels, labels_key)
        for id_, labels in self.values.items():
            self._post(id_, labels)
        ranges = f"select {id_column}, min({column}), max({column}) from {data} group by all"  # noqa: S608
        for id_, first, last in database.query(ranges):
            self._range[id_] = (first, last)

    def id_of(self, value: Labels) -> int:
        """Its number; a new value gets the next one, and is written with the next commit."""
        found = self._ids.get(labels_key(value))
        if found is None:
            with self._lock:
                found = super().id_of(dict(value))  # the caller may go on to change its own
                self._post(found, value)
        return found

    def ids_of(self, values: Sequence[Labels]) -> list[int]:
        """`id_of` each. Rows of a batch mostly share their labels' dict, which saves hashing it again."""
        by_identity: dict[int, int] = {}
        return [
            found if (found := by_identity.get(id(value))) is not None
            else by_identity.setdefault(id(value), self.id_of(value))
            for value in values
        ]  # fmt: skip

    def note(self, ids: Sequence[int], times: Sequence[int]) -> None:
        """Data at these times is being written; `find` knows of it once that is committed."""
        noted = self._noted
        for id_, time in zip(ids, times, strict=True):
            first, last = noted.get(id_, (time, time))
            noted[id_] = (min(first, time), max(last, time))

    def committed(self) -> None:
        super().committed()
        for id_, (first, last) in self._noted.items():
            known = self._range.get(id_, (first, last))
            self._range[id_] = (min(first, known[0]), max(last, known[1]))
        self._noted = {}

    def rolled_back(self) -> None:
        super().rolled_back()
        self._noted = {}

    def last(self, id_: int) -> int | None:
        """Time of its newest data; None if it has none."""
        known = self._range.get(id_)
        return known[1] if known else None

    def find(self, matchers: Sequence[Matcher], start: int, end: int) -> list[int]:
        """Ids of the label sets that match and have data within [start, end]."""
        with self._lock:
            ids = self._matching(matchers)
            ranges = self._range
            nothing = (1, 0)
            found = [id_ for id_ in ids if (r := ranges.get(id_, nothing))[0] <= end and r[1] >= start]
        return sorted(found)

    def find_any(self, matcher_sets: Sequence[Sequence[Matcher]], start: int, end: int) -> list[int]:
        """As `find`, for the union of several selectors; none at all means everything."""
        found: set[int] = set()
        for matchers in matcher_sets or [()]:
            found.update(self.find(matchers, start, end))
        return sorted(found)

    def names(self, ids: Iterable[int]) -> list[str]:
        return sorted({name for labels in self.all(ids) for name in labels})

    def label_values(self, name: str, ids: Iterable[int]) -> list[str]:
        return sorted({value for labels in self.all(ids) if (value := labels.get(name, ""))})

    def all(self, ids: Iterable[int]) -> list[Labels]:
        """The label sets of these ids, without those that retention has just removed."""
        return [labels for id_ in ids if (labels := self.values.get(id_)) is not None]

    def expire(self, before: int) -> list[int]:
        """Forget the label sets whose newest data is older; returns their ids."""
        with self._lock:
            gone = [id_ for id_ in self.values if self._range.get(id_, (0, 0))[1] < before]
            for id_ in gone:
                for name, value in self.values[id_].items():
                    self._postings[name][value].discard(id_)
                    if not self._postings[name][value]:
                        del self._postings[name][value]
                self._range.pop(id_, None)
            self.remove(gone)
        return gone

    def _post(self, id_: int, labels: Labels) -> None:
        for name, value in labels.items():
            self._postings[name][value].add(id_)

    def _matching(self, matchers: Sequence[Matcher]) -> set[int]:
        result: set[int] | None = None
        for matcher in matchers:
            ids = self._select(matcher)
            result = ids if result is None else result & ids
            if not result:
                return set()
        return set(self.values) if result is None else result

    def _select(self, matcher: Matcher) -> set[int]:
        values = self._postings.get(matcher.name, {})
        if matcher.op == "=" and matcher.value:
            return values.get(matcher.value, set())
        absent_matches = matcher.matches({})
        wanted = (ids for value, ids in values.items() if matcher.matches({matcher.name: value}) != absent_matches)
        chosen: set[int] = set().union(*wanted)
        return set(self.values) - chosen if absent_matches else chosen
