"""Texts of Loki's templates: their parts, counted in bytes; what multiplies them, within the budget; encodings."""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from pocket import regex
from pocket.budget import room_for
from pocket.query.logql.go_values import kind, plain
from pocket.query.logql.literals import go_regex
from pocket.query.quoting import quoted


# ---- parts of a text, counted in bytes
def _sliced(text: str, start: int, end: int) -> str:
    if text.isascii():
        return text[start:end]
    return text.encode()[start:end].decode("utf-8", "replace")


def byte_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def substring(start: int, end: int, text: str) -> str:
    length = byte_length(text)
    if start < 0:
        if not 0 <= end <= length:
            raise ValueError(f"runtime error: slice bounds out of range [:{end}]{_with_length(end, length)}")
        return _sliced(text, 0, end)
    end = length if end < 0 or end > length else end
    if start > end:
        raise ValueError(f"runtime error: slice bounds out of range [{start}:{end}]")
    return _sliced(text, start, end)


def _with_length(end: int, length: int) -> str:
    return f" with length {length}" if end > length else ""


def truncated(count: int, text: str) -> str:
    length = byte_length(text)
    if count < 0:
        return _sliced(text, length + count, length) if length + count > 0 else text
    return _sliced(text, 0, count) if length > count else text


def length(value: Any) -> int:
    if isinstance(value, str):
        return byte_length(value)
    if isinstance(value, dict | list):
        return len(value)
    raise ValueError(f"len of type {kind(value)}")


def upper(text: str) -> str:
    """Letter by letter: Go's ß stays."""
    return text.upper() if text.isascii() else "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def title(text: str) -> str:
    return re.sub(r"(?<!\w)\w", lambda found: upper(found[0]), text)


# ---- what multiplies text asks for room before it does
def aligned(count: int, text: str, right: bool) -> str:
    if count < 0:
        return text
    if len(text) < count:
        room_for(count, text)
        return text.rjust(count) if right else text.ljust(count)
    return text[len(text) - count :] if right else text[:count]


def replaced(text: str, old: str, new: str, count: int = -1) -> str:
    times = text.count(old) if count < 0 else min(text.count(old), count)
    room_for(len(text) + times * len(new), text, new)
    return text.replace(old, new, count)


def regex_replaced(pattern: str, text: str, replacement: str) -> str:
    return _substituted(pattern, text, lambda match: regex.expand(replacement, match))


def regex_replaced_literally(pattern: str, text: str, replacement: str) -> str:
    return _substituted(pattern, text, lambda _: replacement)


def _substituted(pattern: str, text: str, piece: Callable[[regex.Match], str]) -> str:
    made = 0

    def piece_for(match: regex.Match) -> str:
        nonlocal made
        result = piece(match)
        made += len(result)
        room_for(len(text) + made, text, result)
        return result

    return go_regex(pattern).sub(piece_for, text)


def repeated(count: int, text: str) -> str:
    if count < 0:
        raise ValueError("strings: negative Repeat count")
    room_for(count * len(text), text)
    return text * count


def indented(count: int, text: str) -> str:
    pad = repeated(count, " ")
    room_for(len(text) + (text.count("\n") + 1) * count, text)
    return pad + text.replace("\n", "\n" + pad)


def joined(*values: Any) -> str:
    """fmt.Sprint: a space between two values of which none is a text."""
    texts: list[str] = []
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            texts.append(" ")
        texts.append(plain(value))
    room_for(sum(map(len, texts)), *texts)
    return "".join(texts)


def line(*values: Any) -> str:
    texts = [plain(value) for value in values]
    room_for(sum(map(len, texts)) + len(texts), *texts)
    return " ".join(texts) + "\n"


# ---- encodings
def quoted_url(text: str) -> str:
    room_for((3 if text.isascii() else 12) * len(text))
    return urllib.parse.quote_plus(text)


def unquoted_url(text: str) -> str:
    if bad := re.search(r"%(?![0-9a-fA-F]{2}).{0,2}", text):
        raise ValueError(f"invalid URL escape {quoted(bad[0])}")
    return urllib.parse.unquote_plus(text)


def encoded(text: str) -> str:
    room_for((2 if text.isascii() else 6) * len(text))
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """sprig gives the error's words for a value."""
    text = text.replace("\n", "").replace("\r", "")
    if bad := re.search(r"[^A-Za-z0-9+/]", text.rstrip("=")):
        return f"illegal base64 data at input byte {bad.start()}"
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return f"illegal base64 data at input byte {len(text) // 4 * 4}"


def from_json(text: str) -> Any:
    try:
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None
