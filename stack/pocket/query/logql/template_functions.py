"""The functions Loki's templates offer (pkg/logql/log/fmt.go), those that make sense on one line."""

from __future__ import annotations

import base64
import math
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pocket import regex
from pocket.query.logql import literals


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
    result = number(value)
    return int(result) if math.isfinite(result) else 0


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


def _align(count: int, text: str, right: bool) -> str:
    if count < 0:
        return text
    if len(text) < count:
        return text.rjust(count) if right else text.ljust(count)
    return text[len(text) - count :] if right else text[:count]


def _regex_replace(pattern: str, text: str, replacement: str) -> str:
    return literals.go_regex(pattern).sub(lambda match: regex.expand(replacement, match), text)


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


def _repeat(count: int, text: str) -> str:
    if count * len(text) > 1 << 20:
        raise ValueError("result too long")
    return text * count


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ToLower": str.lower,
    "ToUpper": str.upper,
    "Replace": lambda text, old, new, count: text.replace(old, new, count),
    "Trim": lambda text, cut: text.strip(cut),
    "TrimLeft": lambda text, cut: text.lstrip(cut),
    "TrimRight": lambda text, cut: text.rstrip(cut),
    "TrimPrefix": lambda text, prefix: text.removeprefix(prefix),
    "TrimSuffix": lambda text, suffix: text.removesuffix(suffix),
    "TrimSpace": str.strip,
    "regexReplaceAll": _regex_replace,
    "regexReplaceAllLiteral": lambda pattern, text, to: literals.go_regex(pattern).sub(lambda _: to, text),
    "count": lambda pattern, text: len(literals.go_regex(pattern).findall(text)),
    "urlencode": urllib.parse.quote_plus,
    "urldecode": urllib.parse.unquote_plus,
    "bytes": lambda text: float(literals.size_bytes(text)),
    "duration": lambda text: literals.go_duration_ns(text) / 1e9,
    "duration_seconds": lambda text: literals.go_duration_ns(text) / 1e9,
    "alignLeft": lambda count, text: _align(count, text, right=False),
    "alignRight": lambda count, text: _align(count, text, right=True),
    "b64enc": lambda text: base64.b64encode(text.encode()).decode(),
    "b64dec": _decode,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "trunc": _truncate,
    "substr": _substring,
    "contains": lambda needle, text: needle in text,
    "hasPrefix": lambda prefix, text: text.startswith(prefix),
    "hasSuffix": lambda suffix, text: text.endswith(suffix),
    "replace": lambda old, new, text: text.replace(old, new),
    "repeat": _repeat,
    "indent": lambda count, text: " " * count + text.replace("\n", "\n" + " " * count),
    "trim": lambda text: text.strip(),
    "trimAll": lambda cut, text: text.strip(cut),
    "trimSuffix": lambda suffix, text: text.removesuffix(suffix),
    "trimPrefix": lambda prefix, text: text.removeprefix(prefix),
    "int": whole,
    "float64": number,
    "add": _fold(lambda a, b: a + b, whole),
    "sub": _fold(lambda a, b: a - b, whole),
    "mul": _fold(lambda a, b: a * b, whole),
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
    "print": lambda *values: "".join(map(show, values)),
    "printf": lambda layout, *values: layout.replace("%v", "%s") % tuple(values),
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
