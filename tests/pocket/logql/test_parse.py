# ruff: noqa: E501 - a case a line reads best
"""Texts and what they mean, or what Loki says to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket.query import logql
from pocket.query.errors import QueryFailure
from pocket.query.logql import ast
from pocket.rows import Matcher

A = Matcher("a", "=", "b")


def test_a_pipeline_is_parsed_stage_by_stage() -> None:
    query = logql.parse('{a="b"} |= "x" or `y` | json c, d="e[0].f" | logfmt --strict | c > 5m | drop c, d="e"')
    assert query == ast.LogQuery(
        (A,),
        (
            ast.LineFilter("|=", ("x", "y")),
            ast.Json((("c", "c"), ("d", "e[0].f"))),
            ast.Logfmt(strict=True),
            ast.FilterStage(ast.QuantityFilter("c", ">", 300 * 10**9, "duration")),
            ast.Drop(("c", Matcher("d", "=", "e"))),
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c", "((a and b) or c)"),
        ("a or b, c", "(a or (b and c))"),
        ("a b or c", "(a and (b or c))"),
        ("(a or b) and c", "((a or b) and c)"),
    ],
)
def test_label_filters_bind_as_in_lokis_grammar(text: str, expected: str) -> None:
    quoted = "".join(
        f'{letter}="1"' if letter in "abc" else letter for letter in text.replace("and", "&").replace("or", "|")
    )
    query = logql.parse('{x="y"} | ' + quoted.replace("&", "and").replace("|", "or"))
    assert isinstance(query, ast.LogQuery)
    stage = query.stages[0]
    assert isinstance(stage, ast.FilterStage)
    assert _shape(stage.filter) == expected


def _shape(node: ast.LabelFilter) -> str:
    if isinstance(node, ast.BinaryFilter):
        return f"({_shape(node.left)} {node.op} {_shape(node.right)})"
    assert isinstance(node, ast.MatcherFilter)
    return node.matcher.name


@pytest.mark.parametrize(
    "inner",
    [
        '{a="b"} | json | unwrap duration(x) | __error__="" [5m] offset 1m',
        '{a="b"}[5m] offset 1m | json | unwrap duration(x) | __error__=""',
        '({a="b"} | json | unwrap duration(x) | __error__="")[5m] offset 1m',
        '(({a="b"} | json | unwrap duration(x) | __error__="")[5m] offset 1m)',
    ],
)
def test_a_range_may_stand_in_several_places(inner: str) -> None:
    unwrap = ast.Unwrap("x", "duration", (ast.MatcherFilter(Matcher("__error__", "=", "")),))
    log_range = ast.LogRange(ast.LogQuery((A,), (ast.Json(),)), 300 * 10**9, 60 * 10**9, unwrap)
    assert logql.parse(f"sum_over_time({inner})") == ast.RangeAggregation("sum_over_time", log_range)


def test_operators_bind_as_in_promql_and_literals_are_folded() -> None:
    assert logql.parse("1 + 2 * 3 ^ 2") == ast.Literal(19.0)
    assert logql.parse("2 ^ 3 ^ 2 - -1") == ast.Literal(513.0)
    expr = logql.parse("vector(1) + on(a) group_left(b) vector(2) > bool 3")
    assert expr == ast.Binary(
        ">",
        ast.Binary(
            "+",
            ast.VectorLiteral(1),
            ast.VectorLiteral(2),
            ast.Matching(False, True, ("a",), "many-to-one", ("b",)),
        ),
        ast.Literal(3),
        ast.Matching(return_bool=True),
    )


# What Loki 3.7 answered to each.
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "parse error : syntax error: unexpected $end"),
        ("foo", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"),
        ('{a="b"', "parse error at line 1, col 7: syntax error: unexpected $end, expecting } or ,"),
        ('{a=="b"}', "parse error at line 0, col 3: syntax error: unexpected ==, expecting = or =~ or !~ or !="),
        ('{a="b"} |= "x', "parse error at line 1, col 12: literal not terminated"),
        ('{a="b"}\n| json\n| x >', "parse error at line 3, col 6: syntax error: unexpected $end"),
        ('{a="b"} | json | foo', "parse error at line 1, col 21: syntax error: unexpected $end"),
        ('rate({a="b"})', "parse error at line 1, col 13: syntax error: unexpected )"),
        ('sum({a="b"})', "parse error at line 1, col 12: syntax error: unexpected )"),
        ('rate({a="b"}[5x])', 'parse error at line 0, col 13: unknown unit "x" in duration "5x"'),
        ('rate({a="b"}[5m', "parse error at line 0, col 13: missing closing ']' in duration"),
        ('{a=~"("}', "parse error : error parsing regexp: missing closing ): `(`"),
        ('{a="b"} | regexp "(.*)"', "parse error : invalid regexp parser: at least one named capture must be supplied"),
        ('{a="b"} | label_format a=b,a=c', "parse error : stage '| label_format a=b,a=c' : multiple label name 'a' not allowed in a single format operation"),
        ('{a="b"} + 1', "parse error : unexpected type for left leg of binary operation (+): *syntax.MatchersExpr"),
        ('sum_over_time({a="b"}[1m])', "parse error : invalid aggregation sum_over_time without unwrap"),
        ('rate({a="b"}[1m]) by (x)', "parse error : grouping not allowed for rate aggregation"),
        ('topk(rate({a="b"}[1m]))', "parse error : parameter required for operation topk"),
    ],
)  # fmt: skip
def test_faults_are_named_as_loki_names_them(text: str, message: str) -> None:
    with pytest.raises(QueryFailure) as failure:
        logql.parse(text)
    assert failure.value.message == message
    assert failure.value.status == 400


@pytest.mark.parametrize(
    "text", ["{}", '{a=~".*"}', '{a!="b"}', 'rate({a=""}[1m])', 'sum(rate({a!="x"}[1m])) / vector(1)']
)
def test_a_selector_of_everything_is_refused(text: str) -> None:
    with pytest.raises(QueryFailure, match="at least one regexp or equality matcher"):
        logql.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{a="b"} | logfmt x="b.c"', """stage '| logfmt x="b.c"' : cannot parse expression [b.c]: unexpected char ."""),
        ('{a="b"} | logfmt --strict x="x y"',
         """stage '| logfmt --strict x="x y"' : cannot parse expression [x y]: syntax error: unexpected KEY"""),
        ('{a="b"} | logfmt y, x=""',
         """stage '| logfmt y,x=""' : cannot parse expression []: syntax error: unexpected $end, expecting STRING or KEY"""),
        ('{a="b"} | regexp "(?P<x>.)(?P<x>.)"', "invalid regexp parser: duplicate extracted label name 'x'"),
        ('{a="b"} | json | a > 0x10',
         'unable to parse literal as a float: strconv.ParseFloat: parsing "0x10": invalid syntax'),
        ("vector(0x10)", 'unable to parse vectorExpr as a float: strconv.ParseFloat: parsing "0x10": invalid syntax'),
        ('{a="b"} |= ip("nope")', """stage '|= ip("nope")' : ip: invalid pattern: "nope\""""),
        ('{a="b"} |~ ip("10.0.0.1")', """stage '|~ ip("10.0.0.1")' : ip: invalid operation"""),
        ('{a="b"} | x=ip("1.1.1.1/33")', """stage '| x=ip("1.1.1.1/33")' : ip: invalid pattern: "1.1.1.1/33\""""),
        ('{a="b"} | x!=ip("1.1.1.2-1.1.1.1")',
         """stage '| x!=ip("1.1.1.2-1.1.1.1")' : ip: invalid pattern: "1.1.1.2-1.1.1.1\""""),
    ],
)  # fmt: skip
def test_what_loki_refuses_is_refused_in_its_words(text: str, message: str) -> None:
    with pytest.raises(QueryFailure) as failed:
        logql.parse(text)
    assert failed.value.message == f"parse error : {message}"


def test_floats_may_be_hexadecimal_and_have_underscores() -> None:
    assert logql.parse("0x1.8p1 + 1_000") == ast.Literal(1003.0)


@pytest.mark.parametrize("text", ['approx_topk(2, rate({a="b"}[1m]))'])
def test_what_is_not_evaluated_is_refused(text: str) -> None:
    with pytest.raises(QueryFailure, match="not supported here"):
        logql.parse(text)


_WORDS = [
    "{", "}", "(", ")", "[5m]", "|", "|=", "!=", "=~", "=", ">", "==", ",", "+", "/", "-", "^", "a", '"b"', "`c`", "5", "1.5e3",
    "5m", "2KB", "json", "logfmt", "--strict", "regexp", "pattern", '"<x> <_>"', '"(?P<n>.)"', "unwrap", "bytes(", "rate(",
    "sum", "by", "(a)", "topk(2,", "count_over_time(", "quantile_over_time(0.9,", "line_format", '"{{.a}}"', "label_format",
    "drop", "keep", "offset", "or", "and", "unless", "on", "ignoring", "group_left", "bool", "vector(1)", '{a="b"}', "#x\n",
    "\\", "é", "$", '"', "label_replace(",
]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_parses_or_fails_as_a_query(text: str) -> None:
    assert outcome(text) != ""


def outcome(text: str) -> str:
    """What was parsed, or the message of our own exception; any other exception fails the test."""
    try:
        return str(logql.parse(text))
    except QueryFailure as failure:
        return failure.message
