# ruff: noqa: E501 - a case a line reads best
"""TraceQL texts and what they mean, or what Tempo says to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket.query import traceql
from pocket.query.errors import QueryFailure
from pocket.query.traceql import ast


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("{}", "{ true }"),
        ('{ resource.service.name = "x" && .a > 5 }', "{ (resource.service.name = `x`) && (.a > 5) }"),
        (
            "{ status = error || kind = server && duration > 1s }",
            "{ ((status = error) || (kind = server)) && (duration > 1s) }",
        ),
        ("{ .a + 1 * 2 > 3 ^ 2 ^ 1 }", "{ (.a + 2) > 9 }"),
        ("{ -.a < -5 }", "{ (-.a) < -5 }"),
        ("{ !.a }", "{ !.a }"),
        ("{ nil != .a }", "{ .a != nil }"),
        ("{ span.a = nil }", "{ span.a = nil }"),
        ('{ span."a b" = 1 }', "{ span.a b = 1 }"),
        ("{ trace:rootService = `x` && span:duration > 1ms }", "{ (rootServiceName = `x`) && (duration > 1ms) }"),
        ("{} > {} >> {} || {} && {}", "((({ true }) > ({ true })) >> ({ true })) || ({ true })"),
        ("{} | count() > 2 | avg(duration) >= 1s", "{ true }|(count()) > 2|(avg(duration)) >= 1s"),
        ("{ 1 + 1 = 2 }", "{ true }"),
    ],
)
def test_what_a_text_means(text: str, shape: str) -> None:
    if text == "{} > {} >> {} || {} && {}":
        shape = f"({shape}) && ({{ true }})"
    assert str(traceql.parse(text).pipeline) == shape


def test_metrics_stages_and_hints() -> None:
    query = traceql.parse(
        "{} | quantile_over_time(duration, .5, 0.9) by (name, span.a) | topk(3) with (sample=true)"
    )
    assert query.metrics == ast.Metrics("quantile_over_time", ast.Intrinsic("duration"), (ast.Intrinsic("name"), ast.Attribute("span", "a")), (0.5, 0.9))  # fmt: skip
    assert query.second_stages == (ast.Best("topk", 3),)
    assert query.hints == (("sample", ast.Static("bool", True, "true")),)


# What Tempo 3.0 answered to each, after "invalid TraceQL query: ".
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "parse error : syntax error: unexpected $end"),
        ("foo", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"),
        ("{", "parse error at line 1, col 2: syntax error: unexpected $end"),
        ("{ } && ", "parse error at line 1, col 8: syntax error: unexpected $end, expecting { or ("),
        ('{ service.name = "x" }', "parse error at line 1, col 3: unknown identifier: service"),
        ("{ .a = }", "parse error at line 1, col 8: syntax error: unexpected }"),
        ("{ name = 5 }", "binary operations must operate on the same type: name = 5"),
        ('{ status = "error" }', "binary operations must operate on the same type: status = `error`"),
        ("{ status > ok }", "illegal operation for the given types: status > ok"),
        ("{ name }", "span filter field expressions must resolve to a boolean: { name }"),
        ("{ name =~ `(` }", "invalid regex: `(`"),
        ("{ name = nil }", "name=nil is not valid because intrinsics cannot be nil"),
        ("{ } | avg(name) > 1", "aggregate field expressions must resolve to a number type: avg(name)"),
        ("{ } | by(1)", "grouping field expressions must reference the span: by(1)"),
        ("{ parent = nil }", "intrinsic (parent) not yet supported"),
        ("{ } | rate() | topk(0)", "limit must be greater than 0"),
        ("coalesce()", "parse error at line 1, col 1: syntax error: unexpected coalesce"),
        (
            "({ } | count() > 1) | rate()",
            "parse error at line 1, col 21: syntax error: unexpected |",
        ),
        ("({ } | count() > 1) && { }", "parse error at line 1, col 24: syntax error: unexpected {, expecting ("),
        (
            "{ } | rate() by (name, kind, status, span.a, span.b, span.c)",
            "metrics group by 6 values not yet supported",
        ),
        (
            "{ } | avg_over_time(duration) by (name, kind, status, span.a, span.b)",
            "metrics group by 5 values not yet supported",
        ),
        ("{ } | quantile_over_time(duration, 1.5)", "quantile must be between 0 and 1: 1.5"),
        ("({ } | count()) > 2", "scalar filter lhs of type (%v) not yet supported"),
        ("{ } | count() + 1 > 2", "scalar filter lhs of type (%v) not yet supported"),
        ("{ } | count() > 2 * 3", "scalar filter rhs of type (%v) not yet supported"),
    ],
)
def test_faults_are_named_as_tempo_names_them(text: str, message: str) -> None:
    with pytest.raises(QueryFailure) as failure:
        traceql.parse(text)
    assert failure.value.message == message
    assert failure.value.status == 400


_WORDS = [
    "{", "}", "(", ")", "|", "||", "&&", "=", "!=", "=~", "!~", ">", ">>", "<<", "~", "!>", "&>", "+", "-", "*", "/", "^", "!",
    ".a", "span.b", "resource.service.name", 'event."x y"', "link:traceID", "span:nope", "name", "status", "error", "kind", "server",
    "duration", "1", "1.5", "2s", '"x"', "`(`", "nil", "true", "count()", "avg(duration)", "by(name)", "coalesce()", "select(name)",
    "rate()", "by (name)", "quantile_over_time(duration, .9)", "topk(2)", "with (a=1)", "{}", "parent.a", "minInt", "foo", "é", "\\",
]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), max_size=20).map(" ".join) | st.text(max_size=60))
def test_any_text_parses_or_fails_as_a_query(text: str) -> None:
    assert outcome(text) != ""


def outcome(text: str) -> str:
    """What was parsed, or the message of our own exception; any other exception fails the test."""
    try:
        return str(traceql.parse(text))
    except QueryFailure as failure:
        return failure.message
