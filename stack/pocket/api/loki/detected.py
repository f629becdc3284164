"""Labels and fields with their cardinality, which Logs Drilldown offers for filters (pkg/querier)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.loki import parameters as params
from pocket.query import logql
from pocket.query.durations import go_duration_ns
from pocket.query.logql import ast, extract, literals
from pocket.query.logql.record import ERROR, ERROR_DETAILS
from pocket.rows import Labels, LogEntry

Json = dict[str, Any]


def labels(call: Call) -> Response:
    span = params.bounds(call.form)
    streams = call.store.logs.streams(params.matchers(call.form), span.start_ns, span.end_ns)
    values: dict[str, set[str]] = {}
    for stream in streams:
        for name, value in stream.items():
            values.setdefault(name, set()).add(value)
    found = [{"label": name, "cardinality": len(seen)} for name, seen in sorted(values.items())]
    return answers.json({"detectedLabels": found} if found else {})


def fields(call: Call) -> Response:
    limit = params.positive(call.form, "limit", params.positive(call.form, "field_limit", 1000))
    return answers.json({"fields": _described(_detected(call), limit), "limit": limit})


def field_values(call: Call) -> Response:
    limit = params.positive(call.form, "limit", 1000)
    field = _detected(call).get(call.path["name"], Field())
    return answers.json({"values": sorted(field.values)[:limit], "limit": limit})


def _detected(call: Call) -> dict[str, Field]:
    span, lines = params.bounds(call.form), params.positive(call.form, "line_limit", 100)
    query = logql.parse_log_query(call.form.get("query"))
    streams = logql.streams(call.store.logs, query, span.start_ns, span.end_ns, limit=lines, categorize=True)
    return _fields(streams)


@dataclass(slots=True)
class Field:
    """A field seen in lines: its values, and the parsers that find it (none for structured metadata)."""

    values: set[str] = field(default_factory=set)
    parsers: set[str] = field(default_factory=set)


def _fields(streams: Sequence[logql.Stream]) -> dict[str, Field]:
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


def _described(found: dict[str, Field], limit: int) -> list[Json]:
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
