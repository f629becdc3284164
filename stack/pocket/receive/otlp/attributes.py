"""OTLP's KeyValues and AnyValues to Python's."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from typing import Any

from pocket.rows import Attributes


def attributes(pairs: Iterable[Any]) -> Attributes:
    """OTLP KeyValues to a dict of str, bool, int, float, list, dict or None."""
    # Most values are non-empty strings: trying that first saves the WhichOneof call, the dearest of this loop.
    return {pair.key: pair.value.string_value or any_value(pair.value) for pair in pairs}


def any_value(value: Any) -> Any:
    """An OTLP AnyValue. Bytes become base64 and NaN and infinities their names, so that JSON can hold them."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [any_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value" and not math.isfinite(value.double_value):
        return str(value.double_value)
    return getattr(value, kind)
