"""The functions Loki's templates offer (pkg/logql/log/fmt.go), those that make sense on one line."""

from __future__ import annotations

import base64
import math
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pocket import regex
from pocket.budget import room_for
from pocket.query.durations import go_duration_ns
from pocket.query.logql import go_format, literals


class TemplateError(Exception):
    """A call that failed on this line: the record gets `__error__="TemplateFormatErr"`."""


def show(value: Any) -> str:
    """As Go's %v prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _show_float(value)
    return str(value)


def _show_float(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def truth(value: Any) -> bool:
    """Go's notion: empty strings, zero and false are not."""
    return bool(value)


def number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0  # sprig's cast gives zero too


def whole(value: Any) -> int:
    result = value if isinstance(value, int) else number(value)
    return _int64(int(result)) if math.isfinite(result) else 0


def _int64(value: int) -> int:
    """As Go's arithmetic wraps around; Python's numbers would grow for ever."""
    return (value + 2**63) % 2**64 - 2**63


def _fold(combine: Callable[[Any, Any], Any], cast: Callable[[Any], Any]) -> Callable[..., Any]:
    def call(first: Any, *rest: Any) -> Any:
        result = cast(first)
        for value in rest:
            result = combine(result, cast(value))
        return result

    return call


def _substring(start: int, end: int, text: str) -> str:
    if start > len(text):
        raise ValueError(f"runtime error: slice bounds out of range [{start}:{len(text)}]")
    if start < 0:
        return text[:end]
    return text[start:] if end < 0 or end > len(text) else text[start:end]


def _truncate(count: int, text: str) -> str:
    if count < 0 and len(text) + count > 0:
        return text[count:]
    return text[:count] if count >= 0 else text


# ---- what multiplies text asks for room before it does
def _align(count: int, text: str, right: bool) -> str:
    if count < 0:
        return text
    if len(text) < count:
        room_for(count, text)
        return text.rjust(count) if right else text.ljust(count)
    return text[len(text) - count :] if right else text[:count]


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    times = text.count(old) if count < 0 else min(text.count(old), count)
    room_for(len(text) + times * len(new), text, new)
    return text.replace(old, new, count)


def _regex_replace(pattern: str, text: str, replacement: str) -> str:
    return _substituted(pattern, text, lambda match: regex.expand(replacement, match))


def _regex_replace_literal(pattern: str, text: str, replacement: str) -> str:
    return _substituted(pattern, text, lambda _: replacement)


def _substituted(pattern: str, text: str, piece: Callable[[regex.Match], str]) -> str:
    made = 0

    def replaced(match: regex.Match) -> str:
        nonlocal made
        result = piece(match)
        made += len(result)
        room_for(len(text) + made, text, result)
        return result

    return literals.go_regex(pattern).sub(replaced, text)


def _repeat(count: int, text: str) -> str:
    if count < 0:
        raise ValueError("strings: negative Repeat count")
    room_for(count * len(text), text)
    return text * count


def _indent(count: int, text: str) -> str:
    pad = _repeat(count, " ")
    room_for(len(text) + (text.count("\n") + 1) * count, text)
    return pad + text.replace("\n", "\n" + pad)


def _joined(*values: Any) -> str:
    texts = [show(value) for value in values]
    room_for(sum(map(len, texts)), *texts)
    return "".join(texts)


def _quoted_url(text: str) -> str:
    room_for((3 if text.isascii() else 12) * len(text))
    return urllib.parse.quote_plus(text)


def _encoded(text: str) -> str:
    room_for((2 if text.isascii() else 6) * len(text))
    return base64.b64encode(text.encode()).decode()


def _round(value: Any, digits: int, *_: Any) -> float:
    scale = 10.0**digits
    return math.floor(number(value) * scale + 0.5) / scale


def _date(layout: str, value: Any) -> str:
    moment = datetime.fromtimestamp(int(value) / 1e9, UTC)
    for go, python in _DATE_PARTS:
        layout = layout.replace(go, python)
    return moment.strftime(layout)


_DATE_PARTS = (
    ("2006", "%Y"), ("January", "%B"), ("Jan", "%b"), ("01", "%m"), ("Monday", "%A"), ("Mon", "%a"), ("02", "%d"),
    ("15", "%H"), ("03", "%I"), ("04", "%M"), ("05", "%S"), (".000000", ".%f"), ("PM", "%p"), ("Z07:00", "Z"),
    ("MST", "UTC"),
)  # fmt: skip


def _decode(text: str) -> str:
    return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ToLower": str.lower,
    "ToUpper": str.upper,
    "Replace": _replace,
    "Trim": lambda text, cut: text.strip(cut),
    "TrimLeft": lambda text, cut: text.lstrip(cut),
    "TrimRight": lambda text, cut: text.rstrip(cut),
    "TrimPrefix": lambda text, prefix: text.removeprefix(prefix),
    "TrimSuffix": lambda text, suffix: text.removesuffix(suffix),
    "TrimSpace": str.strip,
    "regexReplaceAll": _regex_replace,
    "regexReplaceAllLiteral": _regex_replace_literal,
    "count": lambda pattern, text: len(literals.go_regex(pattern).findall(text)),
    "urlencode": _quoted_url,
    "urldecode": urllib.parse.unquote_plus,
    "bytes": lambda text: float(literals.size_bytes(text)),
    "duration": lambda text: go_duration_ns(text) / 1e9,
    "duration_seconds": lambda text: go_duration_ns(text) / 1e9,
    "alignLeft": lambda count, text: _align(count, text, right=False),
    "alignRight": lambda count, text: _align(count, text, right=True),
    "b64enc": _encoded,
    "b64dec": _decode,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "trunc": _truncate,
    "substr": _substring,
    "contains": lambda needle, text: needle in text,
    "hasPrefix": lambda prefix, text: text.startswith(prefix),
    "hasSuffix": lambda suffix, text: text.endswith(suffix),
    "replace": lambda old, new, text: _replace(text, old, new),
    "repeat": _repeat,
    "indent": _indent,
    "nindent": lambda count, text: "\n" + _indent(count, text),
    "trim": lambda text: text.strip(),
    "trimAll": lambda cut, text: text.strip(cut),
    "trimSuffix": lambda suffix, text: text.removesuffix(suffix),
    "trimPrefix": lambda prefix, text: text.removeprefix(prefix),
    "int": whole,
    "float64": number,
    "add": _fold(lambda a, b: _int64(a + b), whole),
    "sub": _fold(lambda a, b: _int64(a - b), whole),
    "mul": _fold(lambda a, b: _int64(a * b), whole),
    "div": _fold(lambda a, b: int(a / b), whole),
    "mod": _fold(lambda a, b: int(math.fmod(a, b)), whole),
    "addf": _fold(lambda a, b: a + b, number),
    "subf": _fold(lambda a, b: a - b, number),
    "mulf": _fold(lambda a, b: a * b, number),
    "divf": _fold(lambda a, b: a / b, number),
    "max": _fold(max, whole),
    "min": _fold(min, whole),
    "maxf": _fold(max, number),
    "minf": _fold(min, number),
    "ceil": lambda value: float(math.ceil(number(value))),
    "floor": lambda value: float(math.floor(number(value))),
    "round": _round,
    "default": lambda fallback, value="": value or fallback,
    "date": _date,
    "unixEpoch": lambda value: str(int(value) // 10**9),
    "unixEpochMillis": lambda value: str(int(value) // 10**6),
    "unixEpochNanos": lambda value: str(int(value)),
    "len": len,
    "print": _joined,
    "printf": go_format.sprintf,
    "not": lambda value: not truth(value),
    "and": lambda *values: next((value for value in values if not truth(value)), values[-1]),
    "or": lambda *values: next((value for value in values if truth(value)), values[-1]),
    "eq": lambda first, *others: any(first == other for other in others),
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}
