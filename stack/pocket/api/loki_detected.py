"""What Logs Drilldown asks for beside queries: volumes, labels and fields with their cardinality (pkg/querier)."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pocket.query import logql
from pocket.query.durations import go_duration_ns
from pocket.query.logql import ast, extract, literals
from pocket.query.logql.record import ERROR, ERROR_DETAILS
from pocket.rows import Labels, LogEntry, Matcher
from pocket.store import Store

Json = dict[str, Any]
LabelKey = tuple[tuple[str, str], ...]


# ---- volume
def volumes(
    store: Store, matchers: Sequence[Matcher], start_ns: int, end_ns: int, targets: Sequence[str], by_label: bool
) -> dict[LabelKey, float]:
    """Bytes of log lines by label set (`targets`, else the labels the selector names), largest first."""
    wanted = set(targets) if targets or by_label else {matcher.name for matcher in matchers}
    totals: Counter[LabelKey] = Counter()
    names = store.logs.label_names(start_ns, end_ns)
    for labels in store.logs.streams(matchers, start_ns, end_ns):
        if not labels.keys() >= set(targets):
            continue
        size = store.logs.stats(exactly(labels, names), start_ns, end_ns)["bytes"]
        for key in _volume_keys(labels, wanted, by_label):
            totals[key] += size
    return {key: float(size) for key, size in sorted(totals.items(), key=lambda item: (-item[1], item[0]))}


def _volume_keys(labels: Labels, wanted: set[str], by_label: bool) -> list[LabelKey]:
    if by_label:
        return [((name, ""),) for name in labels if not wanted or name in wanted]
    return [tuple(sorted((name, value) for name, value in labels.items() if not wanted or name in wanted))]


def exactly(labels: Labels, names: Iterable[str]) -> list[Matcher]:
    """Matchers of one stream alone: its labels, and no other of `names`."""
    return [Matcher(name, "=", labels.get(name, "")) for name in {*names, *labels}]


# ---- detected labels and fields
def labels(found: Iterable[Labels]) -> list[Json]:
    values: dict[str, set[str]] = {}
    for stream in found:
        for name, value in stream.items():
            values.setdefault(name, set()).add(value)
    return [{"label": name, "cardinality": len(seen)} for name, seen in sorted(values.items())]


@dataclass(slots=True)
class Field:
    """A field seen in lines: its values, and the parsers that find it (none for structured metadata)."""

    values: set[str] = field(default_factory=set)
    parsers: set[str] = field(default_factory=set)


def fields(streams: Sequence[logql.Stream]) -> dict[str, Field]:
    """Fields of lines: structured metadata and parsed labels of the query, else what json and logfmt find."""
    found: dict[str, Field] = {}
    for stream in streams:
        for line in stream.lines:
            for name, value in line.metadata.items():
                _note(found, name, value, "")
            for parser, parsed in _parsed(stream.labels, line):
                for name, value in parsed.items():
                    _note(found, name, value, parser)
    return found


def _note(found: dict[str, Field], name: str, value: str, parser: str) -> None:
    item = found.setdefault(name, Field())
    item.values.add(value)
    if parser:
        item.parsers.add(parser)


def _parsed(stream: Labels, line: logql.Line) -> list[tuple[str, Labels]]:
    if line.parsed:
        return [("", {name: value for name, value in line.parsed.items() if name not in (ERROR, ERROR_DETAILS)})]
    entry = LogEntry(stream, line.t_ns, line.text, line.metadata)
    for name, stage in (("json", ast.Json()), ("logfmt", ast.Logfmt())):
        record = logql.Record(entry)
        extract.parser(stage)(record)
        if record.parsed and not record.error and (name == "json" or "=" in line.text):
            return [(name, record.parsed)]
    return []


def describe(found: dict[str, Field], limit: int) -> list[Json]:
    return [
        {
            "label": name,
            "type": _type(item.values),
            "cardinality": len(item.values),
            "parsers": sorted(item.parsers) or None,
        }
        for name, item in sorted(found.items())[:limit]
    ]


def _type(values: Iterable[str]) -> str:
    """The type that every value has, as Loki names them."""
    kinds = {_kind(value) for value in values}
    return kinds.pop() if len(kinds) == 1 else "string"


def _kind(value: str) -> str:
    if value in ("true", "false"):
        return "boolean"
    for kind, parse in (("int", int), ("float", float)):
        with contextlib.suppress(ValueError):
            parse(value)
            return kind
    for kind, read in (("duration", go_duration_ns), ("bytes", literals.size_bytes)):
        with contextlib.suppress(ValueError):
            read(value)
            return kind
    return "string"
