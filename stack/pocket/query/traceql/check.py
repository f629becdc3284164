"""The types of expressions, checked before a query runs (Tempo's ast_validate.go), and constants folded."""

from __future__ import annotations

from pocket import regex
from pocket.query.errors import ParseError
from pocket.query.numbers import general
from pocket.query.traceql import ast, values

NUMBERS = ("int", "float", "duration")
ARITHMETIC = ("+", "-", "*", "/", "%", "^")
_ALLOWED = {
    "bool": ("&&", "||", "=", "!="),
    "string": ("=", "!=", "=~", "!~", ">", ">=", "<", "<="),
    "status": ("=", "!="),
    "kind": ("=", "!="),
    "nil": ("=", "!="),
    **dict.fromkeys(NUMBERS, (*ARITHMETIC, "=", "!=", ">", ">=", "<", "<=")),
}
INTRINSIC_TYPES = {
    "duration": "duration",
    "traceDuration": "duration",
    "event:timeSinceStart": "duration",
    "status": "status",
    "kind": "kind",
    "span:childCount": "int",
    "nestedSetLeft": "int",
    "nestedSetRight": "int",
    "nestedSetParent": "int",
}  # fmt: skip, the others are strings


MAX_BY = 5
# These need a place among the labels for themselves.
_ONE_LESS = ("avg_over_time", "histogram_over_time", "quantile_over_time")


def validate(query: ast.Query) -> None:
    _pipeline(query.pipeline)
    match query.metrics:
        case ast.Compare():
            _compare(query.metrics)
            if query.second_stages:
                raise ParseError("`compare()` cannot be used with second stage functions")
        case ast.Metrics():
            _metrics(query.metrics)


def _compare(compare: ast.Compare) -> None:
    _element(compare.filter)
    if compare.top <= 0:
        raise ParseError("compare() top number of values must be integer greater than 0")
    if compare.start_ns == compare.end_ns == 0:
        return
    if compare.start_ns <= 0 or compare.end_ns <= 0:
        raise ParseError("compare() timestamps must be positive integer unix nanoseconds")
    if compare.end_ns <= compare.start_ns:
        raise ParseError("compare() end timestamp must be greater than start timestamp")


def _metrics(metrics: ast.Metrics) -> None:
    if len(metrics.by) > MAX_BY - (metrics.op in _ONE_LESS):
        raise ParseError(f"metrics group by {len(metrics.by)} values not yet supported")
    for quantile in metrics.quantiles:
        if not 0 <= quantile <= 1:
            raise ParseError(f"quantile must be between 0 and 1: {general(quantile)}")


def _pipeline(pipeline: ast.Pipeline) -> None:
    for element in pipeline.elements:
        _element(element)


def _element(element: ast.Element) -> None:
    match element:
        case ast.SpansetFilter(condition):
            field(condition)
            if implied_type(condition) not in ("attribute", "bool"):
                raise ParseError(f"span filter field expressions must resolve to a boolean: {element}")
        case ast.SpansetOperation(_, left, right):
            _element(left)
            _element(right)
        case ast.Pipeline():
            _pipeline(element)
        case ast.Group(by):
            if not references_span(by):
                raise ParseError(f"grouping field expressions must reference the span: {element}")
            field(by)
        case ast.ScalarFilter():
            _scalar_filter(element)


def scalar_filter(left: object, op: str, right: object) -> ast.ScalarFilter:
    """Tempo parses more than `aggregate op number`, and evaluates that alone; these words are its own."""
    if not isinstance(left, ast.Aggregate):
        raise ParseError("scalar filter lhs of type (%v) not yet supported")
    if not isinstance(right, ast.Static):
        raise ParseError("scalar filter rhs of type (%v) not yet supported")
    return ast.ScalarFilter(left, op, right)


def _scalar_filter(element: ast.ScalarFilter) -> None:
    operand = element.aggregate.field
    if operand is None:
        return
    field(operand)
    if implied_type(operand) not in ("attribute", *NUMBERS):
        raise ParseError(f"aggregate field expressions must resolve to a number type: {element.aggregate}")
    if not references_span(operand):
        raise ParseError(f"aggregate field expressions must reference the span: {element.aggregate}")


def field(node: ast.Field) -> None:
    match node:
        case ast.Unary():
            _unary(node)
        case ast.Binary():
            _binary(node)


def _unary(node: ast.Unary) -> None:
    field(node.operand)
    if node.op == "missing" and isinstance(node.operand, ast.Intrinsic):
        raise ParseError(f"{node.operand}=nil is not valid because intrinsics cannot be nil")
    if node.op == "missing" and node.operand == ast.Attribute("resource", "service.name"):
        raise ParseError(f"{node.operand}=nil is not valid because resource.service.name cannot be nil")
    kind = implied_type(node.operand)
    if kind != "attribute" and ((node.op == "-" and kind not in NUMBERS) or (node.op == "!" and kind != "bool")):
        raise ParseError(f"illegal operation for the given type: {node}")


def _binary(node: ast.Binary) -> None:
    field(node.left)
    field(node.right)
    left, right = implied_type(node.left), implied_type(node.right)
    if not _matching(left, right):
        raise ParseError(f"binary operations must operate on the same type: {node}")
    if not (_allowed(node.op, left) and _allowed(node.op, right)):
        raise ParseError(f"illegal operation for the given types: {node}")
    if node.op in ("=~", "!~"):
        _regex(node)
    elif _constant(node.left) and _constant(node.right):
        # What could be computed is folded: this cannot. Raises as it would on the first span.
        values.operate(node.op, node.left.value, node.right.value)  # type: ignore[union-attr]


def _regex(node: ast.Binary) -> None:
    if not isinstance(node.right, ast.Static) or not isinstance(node.right.value, str):
        raise ParseError(f"invalid type for =~ or !~: {node.right}")
    try:
        regex.compile(node.right.value, dot_all=True)
    except regex.InvalidPatternError:
        raise ParseError(f"invalid regex: {node.right}") from None


def _matching(left: str, right: str) -> bool:
    return left == right or "attribute" in (left, right) or (left in NUMBERS and right in NUMBERS)


def _allowed(op: str, kind: str) -> bool:
    return kind == "attribute" or op in _ALLOWED[kind]


def implied_type(node: ast.Field) -> str:
    """The type known before a span is seen; "attribute" is whatever the span has."""
    match node:
        case ast.Static(kind):
            return kind
        case ast.Attribute():
            return "attribute"
        case ast.Intrinsic(name):
            return INTRINSIC_TYPES.get(name, "string")
        case ast.Unary(op, operand):
            return implied_type(operand) if op == "-" else "bool"
        case ast.Binary(op, left, right):
            if op not in ARITHMETIC:
                return "bool"
            kind = implied_type(left)
            return kind if kind != "attribute" else implied_type(right)


def references_span(node: ast.Field) -> bool:
    match node:
        case ast.Static():
            return False
        case ast.Unary(_, operand):
            return references_span(operand)
        case ast.Binary(_, left, right):
            return references_span(left) or references_span(right)
    return True


def fold(node: ast.Field) -> ast.Field:
    """Compute what does not depend on a span; ill-typed expressions stay, so that the check can name them."""
    if not isinstance(node, ast.Binary) or not _constant(node.left) or not _constant(node.right):
        return node
    assert isinstance(node.left, ast.Static)
    assert isinstance(node.right, ast.Static)
    try:
        _binary(node)
        value = values.operate(node.op, node.left.value, node.right.value)
    except (ParseError, values.Impossible):
        return node
    if isinstance(value, bool):
        return ast.Static("bool", value, str(value).lower())
    return ast.Static("float" if isinstance(value, float) else "int", value, str(value))


def _constant(node: ast.Field) -> bool:
    return isinstance(node, ast.Static)
