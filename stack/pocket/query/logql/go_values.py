"""A template's values: their types in Go, and what `{{ … }}` and %v show of them (fmt/print.go)."""

from __future__ import annotations

import math
from typing import Any

from pocket.query.numbers import general


class Int64(int):
    """An int64, which Go does not take where an int is wanted."""

    go_type = "int64"


def kind(value: Any) -> str:
    """The type's name in Go."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "bool"
        case float():
            return "float64"
        case str():
            return "string"
        case dict():
            return "map[string]interface {}"
        case list():
            return "[]interface {}"
    return getattr(value, "go_type", "int")


def plain(value: Any) -> str:
    """As %v prints it: floats with the shortest digits, exponents beyond 1e21, maps by their keys."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return general(value)
        case dict():
            return f"map[{' '.join(f'{name}:{plain(value[name])}' for name in sorted(value))}]"
        case list():
            return f"[{' '.join(map(plain, value))}]"
    return str(value)


def truth(value: Any) -> bool:
    """Go's notion: what is empty, zero or false is not; a struct is, whatever is in it."""
    return bool(value) or (isinstance(value, float) and math.isnan(value))


def int64(value: int) -> Int64:
    """As Go's arithmetic wraps around; Python's numbers would grow for ever."""
    return Int64((value + 2**63) % 2**64 - 2**63)
