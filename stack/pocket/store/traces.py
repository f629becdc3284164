"""Spans: traces by id, traces newest first, attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import orjson

from pocket.budget import current
from pocket.rows import Span, SpanEvent, SpanLink
from pocket.store.database import Columns, Connection, Database, Row, insert, text
from pocket.store.index import Dictionary
from pocket.store.paging import pages
from pocket.store.repeats import first_of_each, stored

Scope = Literal["resource", "span"]

_COLUMNS = (
    "start_ns, end_ns, trace_id::varchar, span_id, parent_span_id, name, kind, status, status_message, resource,"
    " attributes, scope, scope_version, trace_state, flags, events, links, scope_attributes"
)
# A trace's other spans are looked for this far around the span that was found: it bounds the scan.
_REACH_NS = 3600 * 10**9
_BYTES_A_SPAN = 2000  # its row and its objects
_CHECK_SPANS = 1000  # between two looks at the budget
_AS_UUID = "* replace (trace_id::uuid as trace_id)"
_SPANS_A_PAGE, _TRACES_A_PAGE = 1000, 64


class Traces:
    """Queries over spans. Times are Unix nanoseconds, ends exclusive; a span belongs to the time of its start."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.resources = Dictionary("resources", database, lambda value: value, _canonical)

    def trace(self, trace_id: str) -> list[Span]:
        """All spans of a trace in the order of their start; [] if it is unknown or no trace id at all."""
        if len(trace_id) > 32 or not set(trace_id) <= set("0123456789abcdefABCDEF") or not trace_id:
            return []
        found = self._database.stream(
            f"select {_COLUMNS} from spans where trace_id = ?::uuid order by start_ns",  # noqa: S608
            [trace_id.zfill(32)],
        )
        return self._spans(_held(found))

    def newest(
        self,
        start_ns: int,
        end_ns: int,
        *,
        service: str | None = None,
        name: str | None = None,
        min_duration_ns: int = 0,
        max_duration_ns: int | None = None,
        status: int | None = None,
        kind: int | None = None,
        attributes: Sequence[tuple[str, str | None]] = (),
    ) -> Iterator[list[Span]]:
        """Batches of whole traces, newest first: every trace with a span in the range that passes all filters.

        `attributes` are names and, where known, texts in the value. They are looked for in the JSON as it stands,
        so a few spans too many may pass: the caller checks anyhow, and most need not be decoded.
        """
        filters: dict[str, Any] = {
            "service = ?": service, "name = ?": name, "status = ?": status, "kind = ?": kind,
            "end_ns - start_ns >= ?": min_duration_ns or None, "end_ns - start_ns <= ?": max_duration_ns,
        }  # fmt: skip
        given = {condition: value for condition, value in filters.items() if value is not None}
        texts = [text for attribute in attributes for text in _fragments(*attribute)]
        where = " and ".join([*given, *["contains(attributes, ?)"] * len(texts)]) or "true"
        select = "select start_ns, trace_id::varchar from spans"
        seen: set[str] = set()
        for rows in pages(self._database, select, where, [*given.values(), *texts], "start_ns", start_ns, end_ns,
                          newest_first=True, page=_SPANS_A_PAGE):  # fmt: skip
            found = {trace_id: start for start, trace_id in reversed(rows) if trace_id not in seen}
            newest = sorted(found, key=lambda trace_id: found[trace_id], reverse=True)
            for position in range(0, len(newest), _TRACES_A_PAGE):
                batch = newest[position : position + _TRACES_A_PAGE]
                yield self._whole(batch, found[batch[-1]], found[batch[0]])
            seen.update(newest)

    def _whole(self, trace_ids: list[str], first: int, last: int) -> list[Span]:
        """All spans of these traces, in the order given, looked for around the times at which they were found."""
        budget = current()
        held = budget.held
        found = self._database.stream(
            f"select {_COLUMNS} from spans where start_ns between ? and ?"  # noqa: S608
            " and trace_id in (select unnest(?::uuid[])) order by start_ns",
            [first - _REACH_NS, last + _REACH_NS, trace_ids],
        )
        by_trace: dict[str, list[Row]] = {trace_id: [] for trace_id in trace_ids}
        for row in _held(found):
            by_trace[row[2]].append(row)
        budget.held = held  # until the next batch; who keeps spans holds them
        return self._spans([row for rows_ in by_trace.values() for row in rows_])

    def spans(self, start_ns: int, end_ns: int) -> Iterator[Span]:
        """Those that begin in start ≤ t < end (Unix ns), oldest first."""
        select = f"select {_COLUMNS} from spans"  # noqa: S608
        for rows in pages(self._database, select, "true", [], "start_ns", start_ns, end_ns, newest_first=False):
            yield from self._spans(rows)

    def attribute_names(self, scope: Scope, start_ns: int, end_ns: int) -> list[str]:
        """On spans that begin in start ≤ t < end (Unix ns), or on their resources; sorted."""
        if scope == "resource":
            return sorted({name for resource in self._resources(start_ns, end_ns) for name in resource})
        rows = self._database.query(
            "select distinct unnest(json_keys(attributes)) from spans"
            " where start_ns >= ? and start_ns < ? and attributes is not null order by 1",
            [start_ns, end_ns],
        )
        return [row[0] for row in rows]

    def attribute_values(
        self, scope: Scope, name: str, start_ns: int, end_ns: int, limit: int = 1000
    ) -> list[Any]:
        """Distinct values, as they were sent (str, bool, int, float, list, dict)."""
        if scope == "resource":
            texts = {orjson.dumps(r[name]) for r in self._resources(start_ns, end_ns) if name in r}
            return [orjson.loads(value) for value in sorted(texts)[:limit]]
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        rows = self._database.query(
            "select distinct json_extract(attributes, ?)::varchar v from spans"
            " where start_ns >= ? and start_ns < ? and v is not null order by 1 limit ?",
            [pointer, start_ns, end_ns, limit],
        )
        return [orjson.loads(row[0]) for row in rows]

    def _resources(self, start_ns: int, end_ns: int) -> list[dict[str, Any]]:
        rows = self._database.query(
            "select distinct resource from spans where start_ns >= ? and start_ns < ?", [start_ns, end_ns]
        )
        return [self.resources.values.get(row[0], {}) for row in rows]

    def _spans(self, rows: Sequence[tuple[Any, ...]]) -> list[Span]:
        resources, budget = self.resources.values, current()
        spans: list[Span] = []
        for row in rows:
            spans.append(_span(row, resources.get(row[9], {})))
            if not len(spans) % _CHECK_SPANS:
                budget.check()
        return spans


class SpanTable:
    """Appends spans; a span sent again (same trace and span id, same kind and start) is dropped."""

    def __init__(self, traces: Traces, repeated: Callable[[int], None]) -> None:
        self._resources, self._repeated = traces.resources, repeated

    def insert(self, cursor: Connection, rows: Sequence[Span]) -> None:
        new = [row for row, is_new in zip(rows, self._new(cursor, rows), strict=True) if is_new]
        if len(new) < len(rows):
            self._repeated(len(rows) - len(new))
        if new:
            columns = self._columns(new)
            self._resources.write(cursor)
            insert(cursor, "spans", columns, _AS_UUID)

    def _new(self, cursor: Connection, rows: Sequence[Span]) -> list[bool]:
        keys: Columns = {
            "start_ns": np.array([row.start_ns for row in rows], np.int64),
            "kind": np.array([row.kind for row in rows], np.uint8),
            "trace_id": text([row.trace_id for row in rows]),
            "span_id": text([row.span_id for row in rows]),
        }
        new = first_of_each(zip(*(column.tolist() for column in keys.values()), strict=True))
        new &= ~stored(cursor, "spans", "start_ns", keys, new, _AS_UUID)
        fresh: list[bool] = new.tolist()
        return fresh

    def _columns(self, spans: list[Span]) -> Columns:
        id_of = self._resources.id_of
        by_identity: dict[int, int] = {}  # a batch shares its resource objects
        resources = [
            by_identity[id(s.resource)] if id(s.resource) in by_identity
            else by_identity.setdefault(id(s.resource), id_of(s.resource))
            for s in spans
        ]  # fmt: skip
        return {
            "trace_id": text([s.trace_id for s in spans]),
            "span_id": text([s.span_id for s in spans]),
            "parent_span_id": text([s.parent_span_id for s in spans]),
            "name": text([s.name for s in spans]),
            "kind": np.array([s.kind for s in spans], np.uint8),
            "start_ns": np.array([s.start_ns for s in spans], np.int64),
            "end_ns": np.array([s.end_ns for s in spans], np.int64),
            "status": np.array([s.status for s in spans], np.uint8),
            "status_message": text([s.status_message for s in spans]),
            "service": text([s.service_name for s in spans]),
            "resource": np.array(resources, np.int32),
            "attributes": text([_json(s.attributes) for s in spans]),
            "scope": text([s.scope_name for s in spans]),
            "scope_version": text([s.scope_version for s in spans]),
            "trace_state": text([s.trace_state for s in spans]),
            "flags": np.array([s.flags for s in spans], np.int64),
            "events": text([_json([(e.t_ns, e.name, e.attributes) for e in s.events]) for s in spans]),
            "links": text([_json([(x.trace_id, x.span_id, x.attributes) for x in s.links]) for s in spans]),
            "scope_attributes": text([_json(s.scope_attributes) for s in spans]),
        }


def _held(pages: Iterable[list[Row]]) -> list[Row]:
    """All rows, held against the query's budget as they come: one trace may have a million spans."""
    rows: list[Row] = []
    for page in pages:
        current().hold(len(page) * _BYTES_A_SPAN)
        rows += page
    return rows


def _canonical(resource: dict[str, Any]) -> bytes:
    return orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)


def _json(value: Any) -> str | None:
    return orjson.dumps(value).decode() if value else None


def _fragments(name: str, value: str | None) -> list[str]:
    """What the JSON of an attribute has in it, as `_json` writes it; the value may be one of an array's."""
    key = f"{orjson.dumps(name).decode()}:"
    return [key] if value is None else [key, orjson.dumps(value).decode()]


def _span(row: tuple[Any, ...], resource: dict[str, Any]) -> Span:
    (start, end, trace_id, span_id, parent, name, kind, status, message, _, attributes,
     scope, version, state, flags, events, links, scope_attributes) = row  # fmt: skip
    return Span(
        trace_id.replace("-", ""), span_id, parent, name, kind, start, end, status, message,
        orjson.loads(attributes) if attributes else {}, resource, scope, version, state, flags,
        [SpanEvent(*event) for event in orjson.loads(events)] if events else [],
        [SpanLink(*link) for link in orjson.loads(links)] if links else [],
        orjson.loads(scope_attributes) if scope_attributes else {},
    )  # fmt: skip
