"""The parsers `json`, `logfmt`, `regexp` and `pattern`: a line's text → labels (pkg/logql/log/parser.go)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from pocket import regex
from pocket.query.logql import ast, json_fields, jsonpath, literals, logfmt, naming, patterns, wanted
from pocket.query.logql.record import Record

Extract = Callable[[Record], None]

_MALFORMED = "Value looks like object, but can't find closing '}' symbol"


def parser(stage: ast.Parser, names: wanted.Names | None = None) -> Extract:
    """The function that runs one parser stage; of the labels it finds it may leave out those not in `names`."""
    match stage:
        case ast.Json(()):
            return _json if names is None else json_fields.parser(names, _json)
        case ast.Json(extractions):
            return _json_paths(extractions)
        case ast.Logfmt((), strict, keep_empty):
            return _logfmt(strict, keep_empty, names)
        case ast.Logfmt(extractions, strict):
            return _logfmt_names(dict(extractions), strict)
        case ast.Regexp(pattern):
            return _regexp(literals.go_regex(pattern))
        case ast.Pattern(pattern):
            return _pattern(patterns.label_pattern(pattern))


# ---- json
def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"Unknown value type: {constant}")


# Numbers stay as they are written (1.0 does not become 1), as in Loki.
_decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse, strict=False).decode


def _json(record: Record) -> None:
    try:
        document = _decode(record.line)
        if not isinstance(document, dict):
            raise ValueError
    except (ValueError, RecursionError):
        record.fail("JSONParserErr", _MALFORMED)
        return
    _flatten(document, "", record)


def _flatten(document: dict[str, Any], prefix: str, record: Record) -> None:
    for key, value in document.items():
        name = naming.joined(prefix, key)
        if isinstance(value, dict):
            _flatten(value, name, record)
        elif isinstance(value, bool):
            record.extract(name, "true" if value else "false")
        elif isinstance(value, str) and name:
            record.extract(name, naming.valid(value))


def _json_paths(extractions: tuple[tuple[str, str], ...]) -> Extract:
    paths = [(name, jsonpath.parse(path)) for name, path in extractions]

    def run(record: Record) -> None:
        line = record.line
        if line and line[0] not in '"{[':
            record.fail("JSONParserErr", "")
        elif line:
            for name, path in paths:
                _json_path(record, name, path)

    return run


def _json_path(record: Record, name: str, path: jsonpath.Path) -> None:
    try:
        raw = jsonpath.find(record.line, path)
    except ValueError as error:
        record.fail("JSONParserErr", str(error))
        return
    if raw is None:
        if record.get(name) is None:
            record.set(name, "")
        return
    record.extract(name, _unescaped(raw))


def _unescaped(raw: str) -> str:
    if raw == "null":
        return ""
    return naming.valid(json.loads(raw, strict=False)) if raw[0] == '"' else raw


# ---- logfmt
def _logfmt(strict: bool, keep_empty: bool, names: wanted.Names | None) -> Extract:
    def run(record: Record) -> None:
        faults: list[str] = []
        for key, value in logfmt.pairs(record.line, faults):
            if strict and faults:
                break
            name = naming.label_name(key)
            if name and (value or keep_empty) and wanted.takes(names, name):
                record.extract(name, naming.valid(value))
        if strict and faults:
            record.fail("LogfmtParserErr", faults[0])

    return run


def _logfmt_names(names: dict[str, str], strict: bool) -> Extract:
    def run(record: Record) -> None:
        faults: list[str] = []
        for name in names:
            if record.get(name) is None:
                record.parsed[name] = ""
        found = {naming.label_name(key): value for key, value in logfmt.pairs(record.line, faults)}
        for name, key in names.items():
            if key in found:
                record.extract(name, found[key])
        if strict and faults:
            record.fail("LogfmtParserErr", faults[0])

    return run


# ---- regexp, pattern
def _regexp(pattern: regex.Pattern) -> Extract:
    def run(record: Record) -> None:
        found = pattern.search(record.line)
        for name, value in found.groupdict(default="").items() if found else ():
            record.extract(name, value)

    return run


def _pattern(pieces: tuple[patterns.Piece, ...]) -> Extract:
    def run(record: Record) -> None:
        for name, value in patterns.captures(pieces, record.line):
            record.extract(name, value)

    return run
