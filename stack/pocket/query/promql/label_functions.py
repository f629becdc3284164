"""label_replace, label_join, sort_by_label, and the labels of absent() (promql/functions.go)."""

from __future__ import annotations

import functools
import re

from pocket import regex
from pocket.budget import current, size_of
from pocket.query.promql import ast, labels
from pocket.query.promql.result import QueryError
from pocket.query.promql.table import Table, merge
from pocket.rows import Labels


def label_replace(table: Table, dst: str, replacement: str, src: str, pattern: str) -> Table:
    """Sets `dst` from the template where the whole of `src` matches; an empty outcome takes the label away."""
    try:
        expression = regex.compile(pattern, dot_all=True)
    except regex.InvalidPatternError as refused:
        raise QueryError("execution", f"invalid regular expression in label_replace(): {pattern}") from refused
    _check_name(dst, "destination", "label_replace")
    replaced = [_replaced(one, dst, replacement, src, expression) for one in table.labels]
    return merge(table.relabelled(replaced))


def _replaced(one: Labels, dst: str, replacement: str, src: str, expression: regex.Pattern) -> Labels:
    match = expression.fullmatch(one.get(src, ""))
    if match is None:
        return one
    value = regex.expand(replacement, match)
    current().hold(size_of(value))
    return labels.changed(one, dst, value)


def label_join(table: Table, dst: str, separator: str, sources: list[str]) -> Table:
    for name in sources:
        _check_name(name, "source", "label_join")
    _check_name(dst, "destination", "label_join")
    return merge(table.relabelled([_joined(one, dst, separator, sources) for one in table.labels]))


def _joined(one: Labels, dst: str, separator: str, sources: list[str]) -> Labels:
    """Charged before it is made: thirty of them, each of two labels of the one before, would be a gigabyte."""
    values = [one.get(name, "") for name in sources]
    current().hold(size_of(separator) * len(values) + size_of(*values))
    return labels.changed(one, dst, separator.join(values))


def _check_name(name: str, role: str, function: str) -> None:
    """Any non-empty text is a label name since Prometheus 3."""
    if not name:
        raise QueryError("execution", f"invalid {role} label name in {function}(): {name}")


def sort_by_label(table: Table, names: list[str], *, descending: bool) -> Table:
    """Natural order ("2" before "10") of the labels named, then of the whole label set."""

    def compare(a: int, b: int) -> int:
        one, other = table.labels[a], table.labels[b]
        for name in names:
            x, y = one.get(name, ""), other.get(name, "")
            if x != y:
                return -1 if natural_key(x) < natural_key(y) else 1
        return -1 if labels.key(one) < labels.key(other) else 1

    order = sorted(range(len(table.labels)), key=functools.cmp_to_key(compare), reverse=descending)
    return table.rows(order)


def natural_key(text: str) -> list[tuple[int, int, str, str]]:
    """Runs of digits compare as numbers and before letters.

    By length and then by text: int() refuses more than 4,300 digits, and a label may have a megabyte of them.
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return [_number(part) if part[0] in "0123456789" else (1, 0, part, "") for part in parts]


def _number(digits: str) -> tuple[int, int, str, str]:
    significant = digits.lstrip("0")
    return (0, len(significant), significant, digits)


def absent_labels(node: ast.Node) -> Labels:
    """The labels that a selector fixes by equality, each once."""
    if isinstance(node, ast.Range):
        node = node.selector
    if not isinstance(node, ast.Selector):
        return {}
    fixed: Labels = {}
    seen: set[str] = set()
    for matcher in node.matchers:
        if matcher.name == labels.NAME:
            continue
        if matcher.op == "=" and matcher.name not in seen:
            fixed[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            fixed.pop(matcher.name, None)
    return {name: value for name, value in fixed.items() if value}
