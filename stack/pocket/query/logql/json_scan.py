"""JSON as Loki reads it, broken or not (grafana/jsonparser): members in their order, up to what cannot be read.

Nothing is looked at before its turn: what stands before a break is there, what stands behind the closing bracket
is not seen. Errors are ValueErrors in the parser's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MALFORMED = "Malformed JSON error"
NO_STRING_END = "Value is string, but can't find closing '\"' symbol"
NO_ARRAY_END = "Value is array, but can't find closing ']' symbol"
NO_OBJECT_END = "Value looks like object, but can't find closing '}' symbol"
BAD_ESCAPE = "Encountered an invalid escape sequence in a string"
UNKNOWN = "Unknown value type"

_SPACE = re.compile(r"[ \n\r\t]*")
_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BLOCK = {"[": re.compile(r'["\[\]]'), "{": re.compile(r'["{}]')}
_TOKEN = re.compile(r"[^ \n\r\t,}\]]*")
_SIGN = re.compile(r'["{}\[\]]')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.)|$)", re.DOTALL)
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

Path = tuple[str | int, ...]


class Value(NamedTuple):
    """A value as it is written, a string without its quotes, and where it ends."""

    text: str
    kind: str  # string array object boolean null number; of at_paths also a fault, with its words for a text
    end: int


def members(text: str, start: int = 0) -> Iterator[tuple[str, Value]]:
    """Names, their escapes resolved, and values of the object at `start`, as far as they can be read."""
    position = _skip(text, start)
    if text[position : position + 1] != "{":
        raise ValueError(NO_OBJECT_END)
    position = _reached(text, position + 1, MALFORMED)
    while text[position] != "}":
        if text[position] != '"':
            raise ValueError(NO_OBJECT_END)
        end = _string_end(text, position + 1)
        if end < 0:
            raise ValueError(MALFORMED)
        name = unescaped(text[position + 1 : end - 1])
        colon = _skip(text, end)
        if text[colon : colon + 1] != ":":
            raise ValueError(MALFORMED)
        found = value(text, colon + 1)
        yield name, found
        position = _reached(text, found.end, NO_ARRAY_END)
        if text[position] == ",":
            position = _reached(text, position + 1, NO_ARRAY_END)
        elif text[position] != "}":
            raise ValueError(NO_OBJECT_END)


def value(text: str, start: int) -> Value:
    """The next value from `start` on."""
    start = _reached(text, start, MALFORMED)
    match text[start]:
        case '"':
            end = _string_end(text, start + 1)
            return Value(text[start + 1 : end - 1], "string", _found(end, NO_STRING_END))
        case "[":
            end = _found(_block_end(text, start), NO_ARRAY_END)
            return Value(text[start:end], "array", end)
        case "{":
            end = _found(_block_end(text, start), NO_OBJECT_END)
            return Value(text[start:end], "object", end)
    found = _TOKEN.match(text, start)
    assert found is not None
    return Value(found[0], _kind(found[0]), found.end())


def _kind(token: str) -> str:
    if token in ("true", "false"):
        return "boolean"
    if token == "null":  # noqa: S105
        return "null"
    if token[:1] not in "-0123456789" or not token:
        raise ValueError(UNKNOWN)
    return "number"


def unescaped(text: str) -> str:
    """A string's content. Raises ValueError on what is no escape, half a surrogate pair among them."""
    if "\\" not in text:
        return text
    resolved = _ESCAPE.sub(_resolved, text)
    try:
        return resolved.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError(BAD_ESCAPE) from None


def _resolved(found: re.Match[str]) -> str:
    if found[1] is not None:
        return chr(int(found[1], 16))
    if found[2] not in _ESCAPES:
        raise ValueError(BAD_ESCAPE)
    return _ESCAPES[found[2]]


# ---- paths
def at_paths(text: str, paths: Sequence[Path]) -> Iterator[tuple[int, Value]]:
    """Number and value of each path that is found, in the order of the text (jsonparser's EachKey).

    A path's first value counts. Stops without a word at what it cannot pass; a name outside of an object is a
    ValueError.
    """
    missing = dict(enumerate(paths))
    here: list[str | int] = []
    level = position = 0
    while missing and (sign := _SIGN.search(text, position)):
        position = sign.end()
        match sign[0]:
            case "{":
                level += 1
            case "}" | "]":
                level -= 1
            case "[":
                wanted = [n for n, path in missing.items() if _reaches(path, here[:level], int)]
                if wanted:
                    yield from _elements(text, sign.start(), level, {n: missing.pop(n) for n in wanted})
                end = _block_end(text, sign.start())
                if end < 0:
                    return
                position = end
            case _:
                end = _string_end(text, position)
                colon = _skip(text, end) if end >= 0 else len(text)
                if colon >= len(text):
                    return
                if text[colon] != ":":
                    position = end
                    continue
                if level < 1:
                    raise ValueError(MALFORMED)
                here[level - 1 :] = [unescaped(text[position : end - 1])]
                matched = [n for n, path in missing.items() if path == tuple(here)]
                for number in matched:
                    del missing[number]
                    yield number, _read(text, colon + 1)
                position = colon + 1 if matched else _past(text, colon + 1, here, missing.values())


def _read(text: str, start: int) -> Value:
    try:
        return value(text, start)
    except ValueError as error:
        return Value(str(error), "fault", start)


def _reaches(path: Path, here: list[str | int], step: type) -> bool:
    depth = len(here)
    return len(path) > depth and isinstance(path[depth], step) and list(path[:depth]) == here


def _past(text: str, start: int, here: list[str | int], paths: object) -> int:
    """Where to look on behind a name: an object is passed over unless it is a part of some path."""
    start = _skip(text, start)
    if text[start : start + 1] != "{" or any(list(path[: len(here)]) == here for path in paths):  # type: ignore[attr-defined]
        return start
    end = _block_end(text, start)
    return end if end >= 0 else len(text)


def _elements(text: str, start: int, level: int, paths: dict[int, Path]) -> Iterator[tuple[int, Value]]:
    """The values at `paths`, of which step `level` is an element of the array at `start`."""
    position, index = _skip(text, start + 1), 0
    while text[position : position + 1] not in ("]", ""):
        try:
            element = value(text, position)
        except ValueError:
            return
        for number, path in paths.items():
            if path[level] == index:
                rest = path[level + 1 :]
                yield from (
                    ((number, found) for _, found in at_paths(element.text, [rest]))
                    if rest
                    else [(number, element)]
                )
        position = _skip(text, element.end)
        if text[position : position + 1] != ",":
            return
        position, index = _skip(text, position + 1), index + 1


# ---- places
def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _reached(text: str, position: int, fault: str) -> int:
    """Where the next token begins; the text may end before there is one."""
    position = _skip(text, position)
    if position >= len(text):
        raise ValueError(fault)
    return position


def _found(end: int, fault: str) -> int:
    if end < 0:
        raise ValueError(fault)
    return end


def _string_end(text: str, start: int) -> int:
    """Behind the closing quote of the string whose content begins at `start`; -1 if there is none."""
    found = _STRING.match(text, start)
    return found.end() if found else -1


def _block_end(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`; -1 if none does. Other brackets do not count."""
    opening, depth, position = text[start], 0, start
    while sign := _BLOCK[opening].search(text, position):
        position = sign.end()
        if sign[0] == '"':
            position = _string_end(text, position)
            if position < 0:
                return -1
        else:
            depth += 1 if sign[0] == opening else -1
            if not depth:
                return position
    return -1
