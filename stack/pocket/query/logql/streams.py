"""Log queries: lines through a pipeline, grouped into streams as Loki's engine does (readStreams)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pocket.budget import current, size_of
from pocket.query.logql import ast, wanted
from pocket.query.logql.levels import with_level
from pocket.query.logql.record import Record
from pocket.query.logql.source import LogSource
from pocket.query.logql.stages import pipeline
from pocket.rows import Labels

_CHECK_LINES = 64  # between two looks at the budget
_BYTES_A_LINE = 500  # its objects and dicts


@dataclass(slots=True)
class Line:
    t_ns: int
    text: str
    metadata: Labels = field(default_factory=dict)
    parsed: Labels = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    labels: Labels
    lines: list[Line]


def records(
    source: LogSource,
    query: ast.LogQuery,
    start_ns: int,
    end_ns: int,
    *,
    newest_first: bool | None,
    limit: int | None = None,
    names: wanted.Names | None = None,
) -> Iterator[Record]:
    """The lines of [start, end) that pass the pipeline, in the order of time (None: any), lazily.

    What templates made of a line is held as long as the line is looked at; who keeps it holds it. `names`: the
    labels that will be asked for, if not all.
    """
    run, budget = pipeline(query.stages, names), current()
    pushed = limit if not query.stages else None
    leveled = wanted.level(names)
    entries = source.select(
        query.matchers, start_ns, end_ns, limit=pushed, newest_first=newest_first, contains=needles(query)
    )
    for number, entry in enumerate(entries):
        if not number % _CHECK_LINES:
            budget.check()
        held = budget.held
        record = run(with_level(entry) if leveled else entry)
        budget.held = held
        if record is not None:
            yield record


def needles(query: ast.LogQuery) -> tuple[str, ...]:
    """The substrings every line of the answer has as stored: `|=` filters before anything changes the line."""
    found: list[str] = []
    for stage in query.stages:
        if isinstance(stage, ast.LineFormat | ast.Decolorize | ast.Unpack):
            break
        match stage:
            case ast.LineFilter("|=", (str() as needle,)) if needle:
                found.append(needle)
    return tuple(found)


def select(
    source: LogSource,
    query: ast.LogQuery,
    start_ns: int,
    end_ns: int,
    *,
    limit: int,
    newest_first: bool = True,
    interval_ns: int = 0,
    categorize: bool = False,
) -> list[Stream]:
    """At most `limit` lines, in streams sorted by their labels.

    Plain: a stream's labels are all labels, parsed ones and structured metadata included. `categorize`: stream
    labels alone, the others at each line. `interval_ns`: leave lines out that are nearer than that to the last.
    """
    streams: dict[tuple[tuple[str, str], ...], Stream] = {}
    last: int | None = None
    count = 0
    for record in records(source, query, start_ns, end_ns, newest_first=newest_first, limit=limit):
        if interval_ns and last is not None and abs(record.t_ns - last) < interval_ns:
            continue
        labels = record.stream if categorize else record.labels()
        current().hold(_bytes(record))
        key = tuple(sorted(labels.items()))
        streams.setdefault(key, Stream(dict(key), [])).lines.append(_line(record, categorize))
        last, count = record.t_ns, count + 1
        if count >= limit:
            break
    return [streams[key] for key in sorted(streams)]


def _line(record: Record, categorize: bool) -> Line:
    if not categorize:
        return Line(record.t_ns, record.line)
    return Line(record.t_ns, record.line, record.metadata, {**record.parsed, **record.errors()})


def _bytes(record: Record) -> int:
    """What a line of the answer holds: its text, and labels that mostly are its own (a trace's id is in them)."""
    own = (record.metadata, record.parsed)
    return size_of(record.line) + sum(size_of(*labels.values()) for labels in own) + _BYTES_A_LINE
