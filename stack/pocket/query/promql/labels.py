"""Label sets: keys, grouping, and how Prometheus writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable

from pocket.rows import Labels

Key = tuple[tuple[str, str], ...]
NAME = "__name__"
# Prometheus 3 takes a metric's type and unit away together with its name (schema.IsMetadataLabel).
METADATA = frozenset({NAME, "__type__", "__unit__"})


# A byte that is no UTF-8, which Go's texts may hold: see pocket.query.quoting.
_BYTE = re.compile("[\ud800-\udfff]")


def is_name(text: str) -> bool:
    """Any text of whole characters names a label since Prometheus 3."""
    return bool(text) and not _BYTE.search(text)


def printable(text: str) -> str:
    return _BYTE.sub("\ufffd", text)


def key(labels: Labels) -> Key:
    """Orders and compares as Prometheus' labels.Compare."""
    return tuple(sorted(labels.items()))


def drop_name(labels: Labels) -> Labels:
    return {name: value for name, value in labels.items() if name not in METADATA}


def drop_names(labels: Iterable[Labels]) -> list[Labels]:
    return [drop_name(one) for one in labels]


def keep(labels: Labels, names: Collection[str]) -> Labels:
    return {name: labels[name] for name in names if labels.get(name)}


def without(labels: Labels, names: Collection[str]) -> Labels:
    return {name: value for name, value in labels.items() if name not in names}


def changed(labels: Labels, name: str, value: str) -> Labels:
    """With one label set; an empty value takes it away."""
    result = without(labels, (name,))
    if value:
        result[name] = value
    return result


def to_string(labels: Labels) -> str:
    """`{a="b", c="d"}`, labels.Labels.String()."""
    return "{" + ", ".join(f"{n}={json.dumps(v, ensure_ascii=False)}" for n, v in key(labels)) + "}"
