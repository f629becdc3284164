"""The paths of `| json label="servers[0].name"`, and what they point at (Loki's log/jsonexpr)."""

from __future__ import annotations

import re
from functools import lru_cache
from json import JSONDecodeError, JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]

from pocket.query.logql.json_scan import Path, Value, value

_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\[\"((?:\\.|[^\"\\])*)\"\]")
_SPACE = re.compile(r"[ \t\r\n]*")
_ENDS = ("", " ", "\n", "\r", "\t", ",", "}", "]")
_decoder = JSONDecoder()


@lru_cache(maxsize=256)
def parse(text: str) -> Path:
    """`a.b[0]["c d"]` → ("a", "b", 0, "c d"). Raises ValueError."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if not found or ((position == 0) == text.startswith(".", position) and found[1] is not None):
            raise ValueError(f"syntax error: unexpected {text[position]!r} at {position}")
        steps.append(_step(found))
        position = found.end()
    if not steps:
        raise ValueError("syntax error: unexpected $end")
    return tuple(steps)


def _step(found: re.Match[str]) -> str | int:
    if found[2] is not None:
        return int(found[2])
    return found[1] if found[1] is not None else re.sub(r"\\(.)", r"\1", found[3])


def find(text: str, path: Path) -> Value | None:
    """The value at `path`, None if there is nothing. Raises ValueError on what only json_scan reads as Loki does:
    malformed JSON, and names that stand there twice.
    """
    start = _skip(text, 0)
    for step in path:
        inner = _member(text, start, step) if isinstance(step, str) else _element(text, start, step)
        if inner is None:
            if any(isinstance(name, str) and text.count(f'"{name}"') > 1 for name in path):
                raise ValueError("perhaps in the other object of this name")
            return None
        start = inner
    end = _end(text, start)
    if text[end : end + 1] not in _ENDS:
        raise ValueError("more than a value")
    return Value(text[start:end], "object", end) if text[start] == "{" else value(text, start)


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _end(text: str, start: int) -> int:
    try:
        return _decoder.raw_decode(text, start)[1]
    except RecursionError:
        raise JSONDecodeError("nested too deeply", text, start) from None


def _member(text: str, start: int, key: str) -> int | None:
    """Where the value of `key` begins in the object at `start`."""
    if text[start : start + 1] != "{":
        return None
    position = _skip(text, start + 1)
    while text[position : position + 1] == '"':
        name, position = scanstring(text, position + 1, False)
        position = _skip(text, position)
        if text[position : position + 1] != ":":
            raise JSONDecodeError("Expecting ':'", text, position)
        position = _skip(text, position + 1)
        if name == key:
            return position
        position = _skip(text, _end(text, position))
        if text[position : position + 1] != ",":
            break
        position = _skip(text, position + 1)
    if text[position : position + 1] != "}":
        raise JSONDecodeError("Expecting ',' delimiter", text, position)
    return None


def _element(text: str, start: int, index: int) -> int | None:
    """Where element `index` begins in the array at `start`."""
    if text[start : start + 1] != "[":
        return None
    position = _skip(text, start + 1)
    for _ in range(index):
        position = (
            _skip(text, _end(text, position)) if text[position : position + 1] not in ("]", "") else position
        )
        if text[position : position + 1] != ",":
            return None
        position = _skip(text, position + 1)
    return None if text[position : position + 1] in ("]", "") else position
