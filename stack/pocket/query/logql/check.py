"""What Loki refuses after the grammar accepts it (ast.go, parser.go), and the nodes it folds while parsing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lark import Token

from pocket.query.errors import ParseError, Unsupported
from pocket.query.logql import arithmetic, ast, ip, jsonpath, literals, logfmt, patterns, template
from pocket.query.numbers import go_float
from pocket.query.quoting import quoted
from pocket.rows import Matcher

_UNWRAPPED = {
    "avg_over_time", "sum_over_time", "max_over_time", "min_over_time", "stddev_over_time", "stdvar_over_time",
    "quantile_over_time", "rate", "rate_counter", "absent_over_time", "first_over_time", "last_over_time",
}  # fmt: skip
_COUNTING = {"bytes_over_time", "bytes_rate", "count_over_time", "rate", "absent_over_time"}
_GROUPABLE = _UNWRAPPED - {"sum_over_time", "rate", "rate_counter", "absent_over_time"}
_CAPTURE = re.compile(r"(?<!\\)(?:\\\\)*\(\?P?<(\w+)>")
_SETS = ("and", "or", "unless")
_NO_EQUALITY = (
    "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
    'For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)
_GO_TYPES = {"LogQuery": "*syntax.PipelineExpr", "": "*syntax.MatchersExpr"}


def _fail(message: str) -> ParseError:
    return ParseError(f"parse error : {message}")


# ---- the whole
def validate(expr: ast.Expr) -> None:
    """Every selector needs a matcher that an absent label does not satisfy (parser.go validateMatchers)."""
    match expr:
        case ast.LogQuery(matchers):
            _require_matcher(matchers)
        case ast.RangeAggregation():
            _require_matcher(expr.log_range.query.matchers)
        case ast.VectorAggregation() | ast.LabelReplace():
            validate(expr.expr)
        case ast.Binary():
            validate(expr.left)
            validate(expr.right)


def _require_matcher(matchers: Sequence[Matcher]) -> None:
    if all(matcher.matches({}) for matcher in matchers):
        raise _fail(_NO_EQUALITY)


# ---- stages
def line_filter(op: str, needles: tuple[str | ast.Ip, ...]) -> None:
    for needle in needles:
        if isinstance(needle, ast.Ip):
            _line_ip(op, needle.pattern)
            continue
        try:
            if op in ("|~", "!~"):
                literals.go_regex(needle)
            elif op in ("|>", "!>"):
                patterns.line_pattern(needle)
        except ValueError as error:
            raise _stage_fault(f"{op} {quoted(needle)}", error) from None


def _line_ip(op: str, pattern: str) -> None:
    try:
        if op not in ("|=", "!="):
            raise ValueError("ip: invalid operation")
        ip.finder(pattern)
    except ValueError as error:
        raise _stage_fault(f"{op} ip({quoted(pattern)})", error) from None


def ip_filter(condition: ast.IpFilter) -> ast.IpFilter:
    try:
        ip.finder(condition.pattern)
    except ValueError as error:
        op = "=" if condition.equal else "!="
        raise _stage_fault(f"| {condition.name}{op}ip({quoted(condition.pattern)})", error) from None
    return condition


def json(stage: ast.Json) -> ast.Json:
    for _, path in stage.extractions:
        try:
            jsonpath.parse(path)
        except ValueError as error:
            shown = f"| json {_extractions(stage.extractions)}"
            raise _stage_fault(shown, f"cannot parse expression [{path}]: {error}") from None
    return stage


def _extractions(pairs: Sequence[tuple[str, str]]) -> str:
    return ",".join(name if name == text else f"{name}={quoted(text)}" for name, text in pairs)


def _stage_fault(stage: str, reason: object) -> ParseError:
    """What a stage says when it is built: NewStageError."""
    return _fail(f"stage '{stage}' : {reason}")


def regexp(stage: ast.Regexp) -> ast.Regexp:
    try:
        names = literals.go_regex(stage.pattern).groupindex
        _once_each(_CAPTURE.findall(stage.pattern))
    except ValueError as error:
        raise _fail(f"invalid regexp parser: {error}") from None
    if not names:
        raise _fail("invalid regexp parser: at least one named capture must be supplied")
    return stage


def _once_each(names: Sequence[str]) -> None:
    """RE2 takes the last of two captures of one name, Loki refuses both."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"duplicate extracted label name '{repeated}'")


def logfmt_names(stage: ast.Logfmt) -> ast.Logfmt:
    for _, key in stage.extractions:
        try:
            logfmt.expression(key)
        except ValueError as error:
            flags = f"{'--strict ' if stage.strict else ''}{'--keep-empty ' if stage.keep_empty else ''}"
            shown = f"| logfmt {flags}{_extractions(stage.extractions)}"
            raise _stage_fault(shown, f"cannot parse expression [{key}]: {error}") from None
    return stage


def pattern(stage: ast.Pattern) -> ast.Pattern:
    try:
        patterns.label_pattern(stage.pattern)
    except ValueError as error:
        raise _fail(f"invalid pattern parser: {error}") from None
    return stage


def line_format(stage: ast.LineFormat) -> ast.LineFormat:
    try:
        template.compile_template(stage.template)
    except ValueError as error:
        shown = f"| line_format {quoted(stage.template)}"
        raise _stage_fault(shown, f"invalid line template: {error}") from None
    return stage


def label_formats(stage: ast.LabelFormats) -> ast.LabelFormats:
    names = [item.label for item in stage.formats]
    if "__error__" in names:
        raise _stage_fault(_shown(stage), "__error__ cannot be formatted")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        reason = f"multiple label name '{repeated}' not allowed in a single format operation"
        raise _stage_fault(_shown(stage), reason)
    for item in stage.formats:
        try:
            if not item.rename:
                template.compile_template(item.source, "label")
        except ValueError as error:
            raise _stage_fault(_shown(stage), f"invalid template for label '{item.label}': {error}") from None
    return stage


def _shown(stage: ast.LabelFormats) -> str:
    pairs = (f"{f.label}={f.source if f.rename else quoted(f.source)}" for f in stage.formats)
    return f"| label_format {','.join(pairs)}"


# ---- label filters
_BINDS = {"and": 2, "or": 1}


def join_filters(parts: Sequence[Any]) -> ast.LabelFilter:
    """Fold `a or b and c, d e` as Loki's yacc grammar does.

    `and` binds tighter than `or`, both to the left; a comma or nothing at all has no precedence there, so the
    parser shifts: what follows is read first, whatever precedes.
    """
    operands: list[ast.LabelFilter] = []
    operators: list[str] = []
    pending = ""
    for part in parts:
        if isinstance(part, Token):
            pending = str(part).lower()
            continue
        if operands:
            while operators and _reduces(operators[-1], pending):
                _fold(operands, operators)
            operators.append(pending)
        operands.append(part)
        pending = ""
    while operators:
        _fold(operands, operators)
    return operands[0]


def _reduces(top: str, following: str) -> bool:
    return top in _BINDS and following in _BINDS and _BINDS[top] >= _BINDS[following]


def _fold(operands: list[ast.LabelFilter], operators: list[str]) -> None:
    right = operands.pop()
    op = "or" if operators.pop() == "or" else "and"
    operands.append(ast.BinaryFilter(op, operands.pop(), right))


# ---- metric expressions
def range_aggregation(
    op: str, parameter: Token | None, log_range: ast.LogRange, grouping: ast.Grouping | None
) -> ast.RangeAggregation:
    if parameter is not None and op != "quantile_over_time":
        raise _fail(f"parameter {parameter} not supported for operation {op}")
    if parameter is None and op == "quantile_over_time":
        raise _fail(f"parameter required for operation {op}")
    if grouping is not None and op not in _GROUPABLE:
        raise _fail(f"grouping not allowed for {op} aggregation")
    if op not in (_UNWRAPPED if log_range.unwrap else _COUNTING):
        raise _fail(f"invalid aggregation {op} {'with' if log_range.unwrap else 'without'} unwrap")
    value = None if parameter is None else number(str(parameter), "as a float")
    return ast.RangeAggregation(op, log_range, grouping, value)


def number(text: str, what: str) -> float:
    try:
        return go_float(text)
    except ValueError as error:
        raise _fail(f"unable to parse {what}: {error}") from None


def vector_aggregation(
    token: Token, parameter: Token | None, expr: ast.MetricExpr, grouping: ast.Grouping | None
) -> ast.VectorAggregation:
    op = str(token).lower()
    if op == "approx_topk":
        raise Unsupported("parse error : approx_topk is not supported here")
    if op in ("sort", "sort_desc") and grouping is not None and grouping.labels:
        raise _fail("sort and sort_desc doesn't allow grouping by ")
    return ast.VectorAggregation(op, expr, grouping or ast.Grouping(), _count(op, parameter))


def _count(op: str, parameter: Token | None) -> int:
    if op not in ("topk", "bottomk"):
        if parameter is not None:
            raise _fail(f"unsupported parameter for operation {op}({parameter},")
        return 0
    if parameter is None:
        raise _fail(f"parameter required for operation {op}")
    if not parameter.isdigit():
        raise _fail(f"invalid parameter {op}({parameter},")
    if int(parameter) <= 0:
        raise _fail(f"invalid parameter (must be greater than 0) {op}({parameter}")
    return int(parameter)


def label_replace(
    expr: ast.MetricExpr, target: str, replacement: str, source: str, pattern: str
) -> ast.LabelReplace:
    try:
        literals.go_regex(f"^(?:{pattern})$")
    except ValueError as error:
        raise _fail(f"invalid regex in label_replace: {error}") from None
    return ast.LabelReplace(expr, target, replacement, source, pattern)


def binary(op: str, left: ast.Expr, matching: ast.Matching, right: ast.Expr) -> ast.MetricExpr:
    for side, leg in (("left", left), ("right", right)):
        if op in _SETS and isinstance(leg, ast.Literal):
            raise _fail(
                f"unexpected literal for {side} leg of logical/set binary operation ({op}): {leg.value:.6f}"
            )
    if isinstance(left, ast.LogQuery):
        raise _fail(f"unexpected type for left leg of binary operation ({op}): {_go_type(left)}")
    if isinstance(right, ast.LogQuery):
        raise _fail(f"unexpected type for right leg of binary operation ({op}): {_go_type(right)}")
    if isinstance(left, ast.Literal) and isinstance(right, ast.Literal):
        return ast.Literal(arithmetic.fold(op, left.value, right.value))
    return ast.Binary(op, left, right, matching)


def _go_type(query: ast.LogQuery) -> str:
    return _GO_TYPES["LogQuery" if query.stages else ""]
