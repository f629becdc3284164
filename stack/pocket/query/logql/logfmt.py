"""logfmt as Loki reads it (pkg/logql/log/logfmt/decode.go): what is no pair is skipped up to the next blank."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pocket.query.quoting import unquote

_BLANK = re.compile(r"[\x00-\x20]*")
_WORD = re.compile(r"[^\x00-\x20]*")
_KEY = re.compile(r'[^\x00-\x20="]*')
_BARE = re.compile(r'[^\x00-\x20="]*')
_EXPRESSION = re.compile(r'\s*(?P<first>[A-Za-z_][A-Za-z0-9_]*|"[^"\]]*["\]]?)?(?:\s*"[^"\]]*["\]]?)*\s*')
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)


def expression(text: str) -> str:
    """The key that `| logfmt label="key"` names: a word or a quoted text. Raises ValueError with Loki's words."""
    found = _EXPRESSION.match(text)
    assert found is not None
    if found["first"] is None:
        raise ValueError("syntax error: unexpected $end, expecting STRING or KEY")
    if rest := text[found.end() :]:
        key = rest[0].isascii() and (rest[0].isalpha() or rest[0] == "_")
        raise ValueError("syntax error: unexpected KEY" if key else f"unexpected char {rest[0]}")
    return found[0].strip().strip('"')


def pairs(line: str, faults: list[str]) -> Iterator[tuple[str, str]]:
    """The key-value pairs in order; a key alone has the value "". Faults are noted, in the decoder's words."""
    position = _end(_BLANK, line, 0)
    while position < len(line):
        key_end = _end(_KEY, line, position)
        key, following = line[position:key_end], line[key_end : key_end + 1]
        if following == '"' or (following == "=" and not key):
            position = _unexpected(line, key_end, faults)
        elif following != "=":
            yield key, ""
            position = key_end
        elif line[key_end + 1 : key_end + 2] == '"':
            value, position = _quoted(line, key_end + 1, faults)
            if value is not None:
                yield key, value
        else:
            end = _end(_BARE, line, key_end + 1)
            if line[end : end + 1] in ('"', "="):
                position = _unexpected(line, end, faults)
            else:
                yield key, line[key_end + 1 : end]
                position = end
        position = _end(_BLANK, line, position)


def _end(pattern: re.Pattern[str], line: str, position: int) -> int:
    found = pattern.match(line, position)
    return found.end() if found else position


def _unexpected(line: str, position: int, faults: list[str]) -> int:
    faults.append(f"logfmt syntax error at pos {position + 1} : unexpected '{line[position]}'")
    return _end(_WORD, line, position)


def _quoted(line: str, position: int, faults: list[str]) -> tuple[str | None, int]:
    found = _QUOTED.match(line, position)
    if not found:
        faults.append(f"logfmt syntax error at pos {len(line) + 1} : unterminated quoted value")
        return None, len(line)
    try:
        return unquote(found[0]) if "\\" in found[1] else found[1], found.end()
    except ValueError:
        faults.append(f"logfmt syntax error at pos {found.end() + 1} : invalid quoted value")
        return None, found.end()
