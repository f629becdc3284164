"""OTLP's KeyValues and AnyValues to Python's."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from typing import Any

import orjson

from pocket.receive.prometheus_names import label_name
from pocket.rows import Attributes, Labels


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


def flat(values: Attributes, prefix: str = "") -> Labels:
    """Attributes as structured metadata: Prometheus' alphabet, nested maps joined by `_`, values as text."""
    result: Labels = {}
    for key, value in values.items():
        name = f"{prefix}_{label_name(key)}" if prefix else label_name(key)
        if isinstance(value, dict):
            result.update(flat(value, name))
        else:
            result[name] = text(value)
    return result


def text(value: Any) -> str:
    """A value as a label has it: strings as they are, None as "", all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
