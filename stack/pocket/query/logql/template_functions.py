"""The functions of Loki's templates (pkg/logql/log/fmt.go, sprig, text/template), with the types they take."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pocket.query.durations import go_duration_ns
from pocket.query.logql import go_format, go_time
from pocket.query.logql import template_numbers as numbers
from pocket.query.logql import template_texts as texts
from pocket.query.logql import template_times as times
from pocket.query.logql.go_time import SECOND
from pocket.query.logql.go_values import int64, kind, truth
from pocket.query.logql.literals import go_regex, size_bytes
from pocket.query.logql.template_types import Function


# ---- comparisons
def _basic(value: Any) -> str:
    found = kind(value)
    return "int" if isinstance(value, int) and found != "bool" else found


def _comparable(left: Any, right: Any) -> None:
    if _basic(left) != _basic(right):
        raise ValueError(f"incompatible types for comparison: {kind(left)} and {kind(right)}")


def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise ValueError("missing argument for comparison")
    for other in others:
        _comparable(first, other)
        if first == other:
            return True
    return False


def _differs(left: Any, right: Any) -> bool:
    _comparable(left, right)
    return bool(left != right)


def _ordered(holds: Callable[[Any, Any], bool]) -> Function:
    def call(left: Any, right: Any) -> bool:
        _comparable(left, right)
        if isinstance(left, bool) or not isinstance(left, int | float | str):
            raise ValueError("invalid type for comparison")
        return holds(left, right)

    return Function(call, ("any", "any"))


_TEXT, _TEXTS, _ANY = ("string",), ("string", "string"), ("any",)
_WHOLE = ("int", "string")

FUNCTIONS: dict[str, Function] = {
    # of Loki's own
    "ToLower": Function(str.lower, _TEXT),
    "ToUpper": Function(texts.upper, _TEXT),
    "Replace": Function(texts.replaced, ("string", "string", "string", "int")),
    "Trim": Function(lambda text, cut: text.strip(cut), _TEXTS),
    "TrimLeft": Function(lambda text, cut: text.lstrip(cut), _TEXTS),
    "TrimRight": Function(lambda text, cut: text.rstrip(cut), _TEXTS),
    "TrimPrefix": Function(lambda text, prefix: text.removeprefix(prefix), _TEXTS),
    "TrimSuffix": Function(lambda text, suffix: text.removesuffix(suffix), _TEXTS),
    "TrimSpace": Function(str.strip, _TEXT),
    "regexReplaceAll": Function(texts.regex_replaced, ("string", "string", "string")),
    "regexReplaceAllLiteral": Function(texts.regex_replaced_literally, ("string", "string", "string")),
    "count": Function(lambda pattern, text: len(go_regex(pattern).findall(text)), _TEXTS),
    "urlencode": Function(texts.quoted_url, _TEXT),
    "urldecode": Function(texts.unquoted_url, _TEXT),
    "bytes": Function(lambda text: float(size_bytes(text)), _TEXT),
    "duration": Function(lambda text: go_duration_ns(text) / 1e9, _TEXT),
    "duration_seconds": Function(lambda text: go_duration_ns(text) / 1e9, _TEXT),
    "alignLeft": Function(lambda count, text: texts.aligned(count, text, right=False), _WHOLE),
    "alignRight": Function(lambda count, text: texts.aligned(count, text, right=True), _WHOLE),
    "unixEpochMillis": Function(lambda at: str(at.ns // 10**6), ("time.Time",)),
    "unixEpochNanos": Function(lambda at: str(at.ns), ("time.Time",)),
    "unixToTime": Function(times.from_epoch, _TEXT),
    "toDateInZone": Function(
        lambda layout, zone, text: go_time.parse(layout, text, go_time.zone(zone)), ("string", "string", "string")
    ),
    # of sprig
    "b64enc": Function(texts.encoded, _TEXT),
    "b64dec": Function(texts.decoded, _TEXT),
    "lower": Function(str.lower, _TEXT),
    "upper": Function(texts.upper, _TEXT),
    "title": Function(texts.title, _TEXT),
    "trunc": Function(texts.truncated, _WHOLE),
    "substr": Function(texts.substring, ("int", "int", "string")),
    "contains": Function(lambda needle, text: needle in text, _TEXTS),
    "hasPrefix": Function(lambda prefix, text: text.startswith(prefix), _TEXTS),
    "hasSuffix": Function(lambda suffix, text: text.endswith(suffix), _TEXTS),
    "replace": Function(lambda old, new, text: texts.replaced(text, old, new), ("string", "string", "string")),
    "repeat": Function(texts.repeated, _WHOLE),
    "indent": Function(texts.indented, _WHOLE),
    "nindent": Function(lambda count, text: "\n" + texts.indented(count, text), _WHOLE),
    "trim": Function(str.strip, _TEXT),
    "trimAll": Function(lambda cut, text: text.strip(cut), _TEXTS),
    "trimSuffix": Function(lambda suffix, text: text.removesuffix(suffix), _TEXTS),
    "trimPrefix": Function(lambda prefix, text: text.removeprefix(prefix), _TEXTS),
    "int": Function(lambda value: int(numbers.whole(value)), _ANY),
    "float64": Function(numbers.number, _ANY),
    "add": Function(numbers.fold(lambda a, b: int64(a + b), numbers.whole), (), "any"),
    "sub": Function(lambda a, b: int64(numbers.whole(a) - numbers.whole(b)), ("any", "any")),
    "mul": Function(numbers.fold(lambda a, b: int64(a * b), numbers.whole), _ANY, "any"),
    "div": Function(lambda a, b: numbers.divided(numbers.whole(a), numbers.whole(b)), ("any", "any")),
    "mod": Function(
        lambda a, b: int64(
            numbers.whole(a) - numbers.divided(numbers.whole(a), numbers.whole(b)) * numbers.whole(b)
        ),
        ("any", "any"),
    ),
    "addf": Function(numbers.in_decimals(lambda a, b: a + b), (), "any"),
    "subf": Function(numbers.in_decimals(lambda a, b: a - b), _ANY, "any"),
    "mulf": Function(numbers.in_decimals(lambda a, b: a * b), _ANY, "any"),
    "divf": Function(numbers.in_decimals(numbers.ratio), _ANY, "any"),
    "max": Function(numbers.fold(max, numbers.whole), _ANY, "any"),
    "min": Function(numbers.fold(min, numbers.whole), _ANY, "any"),
    "maxf": Function(numbers.fold(max, numbers.number), _ANY, "any"),
    "minf": Function(numbers.fold(min, numbers.number), _ANY, "any"),
    "ceil": Function(lambda value: numbers.whole_float(math.ceil, value), _ANY),
    "floor": Function(lambda value: numbers.whole_float(math.floor, value), _ANY),
    "round": Function(numbers.rounded, ("any", "int"), "float64"),
    "fromJson": Function(texts.from_json, _TEXT),
    "default": Function(
        lambda fallback, *values: values[0] if values and truth(values[0]) else fallback, _ANY, "any"
    ),
    "date": Function(times.date, ("string", "any")),
    "toDate": Function(go_time.parse, _TEXTS),
    "now": Function(go_time.now),
    "unixEpoch": Function(lambda at: str(at.ns // SECOND), ("time.Time",)),
    # of text/template
    "len": Function(texts.length, _ANY),
    "print": Function(texts.joined, (), "any"),
    "println": Function(texts.line, (), "any"),
    "printf": Function(go_format.sprintf, _TEXT, "any"),
    "not": Function(lambda value: not truth(value), _ANY),
    "and": Function(bool, _ANY, "any"),  # these two are evaluated in template.py
    "or": Function(bool, _ANY, "any"),
    "eq": Function(_equal, _ANY, "any"),
    "ne": Function(_differs, ("any", "any")),
    "lt": _ordered(lambda left, right: left < right),
    "le": _ordered(lambda left, right: left <= right),
    "gt": _ordered(lambda left, right: left > right),
    "ge": _ordered(lambda left, right: left >= right),
}
