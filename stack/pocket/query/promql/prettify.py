"""A syntax tree as text, in Prometheus' canonical layout (promql/parser/printer.go and prettier.go)."""

from __future__ import annotations

import re

from pocket.query.numbers import plain
from pocket.query.promql import ast
from pocket.query.quoting import quoted
from pocket.rows import Matcher

MAX_LINE = 100  # bytes, above which an expression is split
_DAY = 86_400_000
_UNITS = (("y", 365 * _DAY), ("w", 7 * _DAY), ("d", _DAY), ("h", 3_600_000), ("m", 60_000), ("s", 1000))
_WHOLE_UNITS = frozenset({"y", "w"})  # written only where they come out even
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def prettified(node: ast.Node) -> str:
    return _pretty(node, 0)


def _pretty(node: ast.Node, level: int) -> str:
    indent, line = "  " * level, _line(node)
    short = len(line.encode("utf-8", "surrogatepass")) <= MAX_LINE
    match node:
        case ast.Subquery(expr=inner):
            return line if short else _pretty(inner, level) + _window(node)
        case ast.Unary(op=op, expr=inner):
            return f"{indent}{op}{_pretty(inner, level).strip()}"
        case _ if short:
            return indent + line
        case ast.Paren(expr=inner):
            return f"{indent}(\n{_pretty(inner, level + 1)}\n{indent})"
        case ast.Call(name=name, args=args):
            return f"{indent}{name}(\n{_arguments(args, level + 1)}\n{indent})"
        case ast.Aggregate(expr=inner, param=param):
            return f"{indent}{_head(node)}(\n{_arguments(_both(param, inner), level + 1)}\n{indent})"
        case ast.Binary(lhs=lhs, rhs=rhs):
            return f"{_pretty(lhs, level + 1)}\n{indent}{_operator(node)}\n{_pretty(rhs, level + 1)}"
    return indent + line


def _arguments(args: tuple[ast.Node, ...], level: int) -> str:
    return ",\n".join(_pretty(arg, level) for arg in args)


def _both(param: ast.Node | None, expr: ast.Node) -> tuple[ast.Node, ...]:
    return (expr,) if param is None else (param, expr)


def _line(node: ast.Node) -> str:
    match node:
        case ast.Number():
            return _number(node)
        case ast.String(value=value):
            return quoted(value)
        case ast.Selector():
            return _series(node) + _shift(node)
        case ast.Range(selector=selector, range_ms=length):
            return f"{_series(selector)}[{_duration(node.range_expr or length)}]{_shift(selector)}"
        case ast.Subquery(expr=inner):
            return _line(inner) + _window(node)
        case ast.Paren(expr=inner):
            return f"({_line(inner)})"
        case ast.Unary(op=op, expr=inner):
            return op + _line(inner)
        case ast.Binary(lhs=lhs, rhs=rhs):
            return f"{_line(lhs)} {_operator(node)} {_line(rhs)}"
        case ast.Call(name=name, args=args):
            return f"{name}({', '.join(map(_line, args))})"
        case ast.Aggregate(expr=inner, param=param):
            return f"{_head(node)}({', '.join(map(_line, _both(param, inner)))})"


def _head(node: ast.Aggregate) -> str:
    if node.without:
        return f"{node.op} without ({_labels(node.grouping)}) "
    return f"{node.op} by ({_labels(node.grouping)}) " if node.grouping else node.op


def _operator(node: ast.Binary) -> str:
    """With its modifiers; a matching that says nothing, such as `ignoring ()`, goes."""
    matching, parts = node.matching, [node.op]
    if node.return_bool:
        parts.append("bool")
    if matching.labels or matching.on or matching.many != "none":
        parts.append(f"{'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})")
    if matching.many != "none":
        parts.append(f"group_{matching.many} ({_labels(matching.include)})")
    return " ".join(parts)


def _labels(names: tuple[str, ...]) -> str:
    return ", ".join(map(_name, names))


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) else quoted(name)


def _series(node: ast.Selector) -> str:
    named = Matcher("__name__", "=", node.name)
    matchers = sorted(_matcher(one) for one in node.matchers if not node.name or one != named)
    return node.name + (f"{{{','.join(matchers)}}}" if matchers else "")


def _matcher(matcher: Matcher) -> str:
    return f"{_name(matcher.name)}{matcher.op}{quoted(matcher.value)}"


def _window(node: ast.Subquery) -> str:
    step = "" if node.step_ms is None else _duration(node.step_expr or node.step_ms)
    return f"[{_duration(node.range_expr or node.range_ms)}:{step}]{_shift(node)}"


def _shift(node: ast.Selector | ast.Subquery) -> str:
    """` @ …` and ` offset …`."""
    at = ""
    if node.at is not None:
        at = f" @ {node.at}()" if isinstance(node.at, str) else f" @ {node.at / 1000:.3f}"
    offset = node.offset_expr or node.offset_ms
    return f"{at} offset {_duration(offset)}" if offset else at


def _number(number: ast.Number) -> str:
    return _duration(int(number.value * 1000)) if number.duration else plain(number.value)


def _duration(duration: int | ast.DurationOperand) -> str:
    if isinstance(duration, int):
        return f"-{_milliseconds(-duration)}" if duration < 0 else _milliseconds(duration)
    if isinstance(duration, ast.Number):
        return _number(duration)
    return f"({_computed(duration)})" if duration.in_parentheses else _computed(duration)


def _computed(duration: ast.Duration) -> str:
    parts = [_duration(operand) for operand in duration.operands]
    if duration.op in ("step", "range", "min_of", "max_of"):
        return f"{duration.op}({', '.join(parts)})"
    if len(parts) == 1:
        return f"-{parts[0]}" if duration.op == "-" else parts[0]
    return f" {duration.op} ".join(parts)


def _milliseconds(ms: int) -> str:
    """`1h30m`, as common/model.Duration."""
    if ms == 0:
        return "0s"
    parts = []
    for unit, length in _UNITS:
        if unit in _WHOLE_UNITS and ms % length:
            continue
        count, ms = divmod(ms, length)
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) + (f"{ms}ms" if ms else "")
