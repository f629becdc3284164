"""The stages `json`, with and without paths, and `unpack`: a JSON line → labels (pkg/logql/log/parser.go).

A line in order goes through the decoders written in C. One that is broken, or has a name twice, is read member by
member, as Loki reads every line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from pocket.query.logql import json_fields, json_scan, jsonpath, naming, wanted
from pocket.query.logql.record import DUPLICATE, Record

Extract = Callable[[Record], None]

_KIND = "JSONParserErr"
_NO_OBJECT = "expecting json object(6), but it is not"
_PACKED_ENTRY = "_entry"
_SURROGATE = re.compile(r"\\u[dD]")


class _Complete(Exception):  # noqa: N818 - a way out, no error
    """All labels that are asked for are there; Loki reads no further."""


# ---- every field
def fields(names: wanted.Names | None) -> Extract:
    """`| json`; of the labels it finds it may leave out those not in `names`."""
    if names is None:
        return _all_fields
    return json_fields.parser(names, lambda record: _scanned(record, names))


def _all_fields(record: Record) -> None:
    if not _decoded(record):
        _scanned(record, None)


def _decoded(record: Record) -> bool:
    if _SURROGATE.search(record.line):  # Python takes half a pair for a letter
        return False
    try:
        document = _decode(record.line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return False
    _flatten(document, "", record)
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Python keeps the last of two members of one name, Loki the first."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError
    return found


# Numbers stay as they are written (1.0 does not become 1), as in Loki.
_decode = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=str, parse_int=str, parse_constant=_refuse, strict=False
).decode


def _flatten(document: dict[str, Any], prefix: str, record: Record) -> None:
    for key, value in document.items():
        name = naming.joined(prefix, key)
        if isinstance(value, dict):
            _flatten(value, name, record)
        elif isinstance(value, bool):
            record.extract(name, "true" if value else "false")
        elif isinstance(value, str) and name:
            record.extract(name, naming.valid(value))


def _scanned(record: Record, names: wanted.Names | None) -> None:
    try:
        _scan(record, record.line, "", names)
    except _Complete:
        pass
    except RecursionError:
        record.fail(_KIND, json_scan.NO_OBJECT_END)
    except ValueError as error:
        record.fail(_KIND, str(error))


def _scan(record: Record, text: str, prefix: str, names: wanted.Names | None) -> None:
    for key, found in json_scan.members(text):
        name = naming.joined(prefix, key)
        if found.kind == "object":
            if wanted.takes_prefix(names, name):
                _scan(record, found.text, name, names)
            continue
        if found.kind in ("string", "number", "boolean") and name and wanted.takes(names, name):
            record.extract(name, _shown(found) if found.kind == "string" else found.text)
        if names and wanted.complete(names, record.extracted):
            raise _Complete


def _shown(found: json_scan.Value) -> str:
    try:
        return naming.valid(json_scan.unescaped(found.text))
    except ValueError:
        return ""


# ---- paths
def at_paths(extractions: tuple[tuple[str, str], ...]) -> Extract:
    """`| json label="path", …`: a label for each, empty where the line has nothing there."""
    labels, paths = [label for label, _ in extractions], [jsonpath.parse(path) for _, path in extractions]

    def run(record: Record) -> None:
        line = record.line
        if line and line[0] not in '"{[':
            record.fail(_KIND, "")
            return
        try:
            for number, found in _at_paths(line, paths):
                _set(record, labels[number], found)
        except ValueError as error:
            record.fail(_KIND, str(error))
        for label in labels if line else ():
            if record.get(label) is None:
                record.set(label, "")

    return run


def _set(record: Record, label: str, found: json_scan.Value) -> None:
    if found.kind == "fault":
        record.fail(_KIND, found.text)
    else:
        record.set(record.unused(label), found.text if found.kind == "object" else _text(found))


def _text(found: json_scan.Value) -> str:
    return "" if found.kind == "null" else _shown(found)


def _at_paths(line: str, paths: list[json_scan.Path]) -> Iterator[tuple[int, json_scan.Value]]:
    try:
        found = [jsonpath.find(line, path) for path in paths]
    except (ValueError, RecursionError):
        return json_scan.at_paths(line, paths)
    return ((number, value) for number, value in enumerate(found) if value is not None)


# ---- unpack
def unpack(names: wanted.Names | None) -> Extract:
    """`| unpack`: what promtail's `pack` stage made; the line becomes its `_entry`, if there is one."""

    def run(record: Record) -> None:
        if record.line[:1] not in ("{", ""):
            record.fail(_KIND, _NO_OBJECT)
        elif record.line:
            try:
                _unpack(record, names)
            except ValueError as error:
                record.fail(_KIND, str(error))

    return run


def _unpack(record: Record, names: wanted.Names | None) -> None:
    entry, labels = None, list[tuple[str, str]]()
    for key, found in json_scan.members(record.line):
        if found.kind != "string":
            continue
        if key == _PACKED_ENTRY:
            entry = json_scan.unescaped(found.text)
            continue
        name = record.unused(key)
        if wanted.takes(names, name.removesuffix(DUPLICATE)) and name not in record.extracted:
            labels.append((naming.label_name(name), _shown(found)))
    if entry is not None:
        for name, text in labels:
            record.set(name, text)
        record.line = entry
