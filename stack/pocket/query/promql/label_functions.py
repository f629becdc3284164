"""label_replace, label_join, and the labels of absent() (promql/functions.go)."""

from __future__ import annotations

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
    match = expression.fullmatch(labels.printable(one.get(src, "")))
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
    if not labels.is_name(name):
        raise QueryError("execution", f"invalid {role} label name in {function}(): {labels.printable(name)}")


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
