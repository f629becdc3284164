"""`| json` when few of a line's fields are asked for: orjson, four times as fast as the parser for all of them.

What orjson does not tell exactly (how a number was written) or does not take (control characters, half a surrogate
pair, an integer beyond 64 bits) goes to the slow parser, so that the answers are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from pocket.query.logql import naming, wanted
from pocket.query.logql.record import Record

Extract = Callable[[Record], None]
Fields = list[tuple[str, str]]

_NAMES = 10_000  # keys of a query whose names are remembered; a key made of an id must not fill the memory


class _Inexact(Exception):  # noqa: N818 - a way out, no error
    """Only the slow parser knows what was written."""


def parser(names: wanted.Names, slow: Extract) -> Extract:
    """The labels among `names` of a line that is a JSON object; everything else is for `slow`."""
    known: dict[str, str] = {}  # of the outermost keys; "" for one that nobody asks for

    def name_of(key: str) -> str:
        if len(known) >= _NAMES:
            known.clear()
        name = naming.label_name(key)
        found = known[key] = name if wanted.takes(names, name) else ""
        return found

    def run(record: Record) -> None:
        line, fields = record.line, list[tuple[str, str]]()
        try:
            document = orjson.loads(line)
            for key, value in document.items():
                if type(value) is dict:
                    _once(key, line)
                    _nested(value, naming.label_name(key), names, line, fields)
                elif name := known[key] if key in known else name_of(key):
                    _add(fields, name, key, value, line)
        except (ValueError, AttributeError, RecursionError, _Inexact):  # no JSON, or no object
            slow(record)
            return
        for name, text in fields:
            record.extract(name, text)

    return run


def _nested(document: dict[str, Any], prefix: str, names: wanted.Names, line: str, fields: Fields) -> None:
    for key, value in document.items():
        name = naming.joined(prefix, key)
        if type(value) is dict:
            _once(key, line)
            _nested(value, name, names, line, fields)
        elif name and wanted.takes(names, name):
            _add(fields, name, key, value, line)


def _once(key: str, line: str) -> None:
    """orjson keeps the last of two members of one name, Loki the first."""
    if line.count(f'"{key}"') > 1 and len(_member(key).findall(line)) > 1:
        raise _Inexact


def _add(fields: Fields, name: str, key: str, value: Any, line: str) -> None:
    _once(key, line)
    kind = type(value)
    if kind is str:
        fields.append((name, naming.valid(value)))
    elif kind is bool:
        fields.append((name, "true" if value else "false"))
    elif kind is int and value:
        fields.append((name, str(value)))
    elif kind is int or kind is float:
        fields.append((name, _written(key, value, line)))


def _written(key: str, value: float, line: str) -> str:
    """A float, or zero (which may be -0), as the line has it: under a key that stands there once."""
    found = _number(key).findall(line)
    if len(found) != 1 or "\\u" in line or float(found[0]) != value:
        raise _Inexact
    text: str = found[0]
    return text


@lru_cache(maxsize=256)
def _member(key: str) -> re.Pattern[str]:
    return re.compile(rf'"{re.escape(key)}"[ \t\r\n]*:')


@lru_cache(maxsize=256)
def _number(key: str) -> re.Pattern[str]:
    return re.compile(rf'"{re.escape(key)}"[ \t\r\n]*:[ \t\r\n]*([-+.0-9eE]+)')
