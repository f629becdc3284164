"""Fields of a line as labels: their names, and what a value may hold."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^a-zA-Z0-9_]")
_INVALID = re.compile("[\ufffd\ud800-\udfff]")


def label_name(key: str) -> str:
    """A key as a label's name: what is neither letter, digit nor underscore becomes an underscore."""
    key = key.strip()
    return _UNSAFE.sub("_", "_" + key if key[:1].isdigit() else key)


def joined(prefix: str, key: str) -> str:
    """The name of a key within an object of the name `prefix` ("": the outermost)."""
    if not prefix:
        return label_name(key)
    return f"{prefix}_{_UNSAFE.sub('_', key.strip())}" if key.strip() else prefix


def valid(value: str) -> str:
    return value if value.isascii() else _INVALID.sub(" ", value)
