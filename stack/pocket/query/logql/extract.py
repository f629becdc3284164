"""The parsers `json`, `unpack`, `logfmt`, `regexp` and `pattern`: a line → labels (pkg/logql/log/parser.go)."""

from __future__ import annotations

from collections.abc import Callable

from pocket import regex
from pocket.query.logql import ast, json_labels, literals, logfmt, naming, patterns, wanted
from pocket.query.logql.record import Record

Extract = Callable[[Record], None]


def parser(stage: ast.Parser, names: wanted.Names | None = None) -> Extract:
    """The function that runs one parser stage; of the labels it finds it may leave out those not in `names`."""
    match stage:
        case ast.Json(()):
            return json_labels.fields(names)
        case ast.Json(extractions):
            return json_labels.at_paths(extractions)
        case ast.Unpack():
            return json_labels.unpack(names)
        case ast.Logfmt((), strict, keep_empty):
            return _logfmt(strict, keep_empty, names)
        case ast.Logfmt(extractions, strict):
            return _logfmt_names({name: logfmt.expression(key) for name, key in extractions}, strict)
        case ast.Regexp(pattern):
            return _regexp(literals.go_regex(pattern))
        case ast.Pattern(pattern):
            return _pattern(patterns.label_pattern(pattern))


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
