"""What is read, where it stands, and what is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket.query import promql
from pocket.query.promql import ast
from pocket.query.promql.parse import parse
from pocket.query.promql.preprocess import preprocess
from pocket.rows import Matcher


def test_a_query_becomes_a_tree_in_milliseconds() -> None:
    tree = parse('sum by (b, a) (rate(x_total{j=~"u|v"}[5m] offset -1m @ 12.5))')
    matchers = (Matcher("j", "=~", "u|v"), Matcher("__name__", "=", "x_total"))
    selector = ast.Selector(20, matchers, -60_000, 12_500, "x_total")
    call = ast.Call(15, "rate", (ast.Range(20, selector, 300_000),))
    assert tree == ast.Aggregate(0, "sum", call, None, False, ("b", "a"))


def test_vector_matching_is_read() -> None:
    tree = parse("a * on (x) group_right (y) b")
    assert isinstance(tree, ast.Binary)
    assert tree.matching == ast.Matching(on=True, labels=("x",), many="right", include=("y",))


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ("rate(a[5m]) + b", [5, 14]),
        ("sum by (a) (a) / on (a) group_left (b) a", [12, 39]),
        ('label_replace(a, "a", "(", "b", ",") - sum(a) by (a) + (a @ start())', [14, 43, 56]),
        ("max_over_time(rate(a[1m])[5m:1m] offset 1m) > bool a # a", [19, 51]),
    ],
)
def test_every_selector_is_found_in_the_text(query: str, positions: list[int]) -> None:
    assert [selector.pos for selector in ast.selectors(parse(query))] == positions


@pytest.mark.parametrize(
    "query",
    [
        "", "sum(", "a b", "{}", '{a=~".*"}', "rate(a)", "foo(a)", "1 == 1", "a and 1", "a[5m] + 1", 'a{b=~"("}',
        'a{b=~"x(?=y)"}', 'a{b="c" or d="e"}', "a + fill(0) b", "limit_ratio(0.1, a)", "info(a)", "start()",
        "histogram_count(a)", "histogram_quantiles(a, \"q\", 0.1)", "a @ 1e300", "a[999999999y]", "a" * 200_000,
        "a\x00", "(" * 5000 + "1" + ")" * 5000, "1" + "+1" * 500,
    ],
)  # fmt: skip
def test_what_is_no_query_or_not_supported_is_a_bad_request(query: str) -> None:
    with pytest.raises(promql.QueryError) as refused:
        parse(query)
    assert (refused.value.kind, refused.value.status) == ("bad_data", 400)


TOO_DEEP = "1:1: parse error: query has more than 200 operators and brackets"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("(" * 10_000 + "1" + ")" * 10_000, TOO_DEEP),
        ("-" * 10_000 + "1", TOO_DEEP),
        ("a[" + "(" * 10_000 + "1", TOO_DEEP),
        ("sum(" * 1000 + "a" + ")" * 1000, TOO_DEEP),
        ("a" + "[1m:]" * 10_000, TOO_DEEP),
        ("9" * 99_999 + "x", '1:1: parse error: bad number or duration syntax: "999'),
        ("{" * 10_000, "1:2: parse error: unexpected left brace '{'"),
        ("[" * 10_000, '1:1: parse error: unexpected "["'),
        ("a" * 1_000_000, "1:1: parse error: query is longer than 100000 characters"),
        ("9" * 5000, "1:1: parse error: error parsing number: strconv.ParseFloat: "),
        ("a[" + "9" * 5000 + "s]", "1:3: parse error: not a valid duration string: "),
        ("a[" + "0" * 5000 + "s]", "1:3: parse error: duration must be greater than 0"),
        ("a @ " + "9" * 5000, "1:5: parse error: error parsing number: strconv.ParseFloat: "),
        ("a{b=~'" + "(" * 5000 + "'}", "1:3: parse error: error parsing regexp: "),
        ("'" + "é" * 5000, "1:1: parse error: unterminated quoted string"),
        ("é" * 5000, "1:1: parse error: unexpected character: 'é'"),
        ("😀", "1:1: parse error: unexpected character: '😀'"),
        ("'\udcff'", "1:1: parse error: invalid UTF-8 rune"),
        ("\ud800", "1:1: parse error: unexpected character: "),
    ],
    ids=range(19),
)
def test_what_would_hurt_is_refused_with_a_reason(query: str, reason: str) -> None:
    with pytest.raises(promql.QueryError) as refused:
        parse(query)
    assert refused.value.message.startswith(reason)
    assert refused.value.status == 400


def test_long_lists_are_read() -> None:
    tree = parse("{" + 'l="x",' * 15_000 + "}")
    assert isinstance(tree, ast.Selector)
    assert len(tree.matchers) == 15_000


def test_deep_queries_of_a_reasonable_kind_are_evaluated(source: promql.MetricSource) -> None:
    result = promql.instant(source, "1" + " + (1" * 95 + ")" * 95, 0)
    assert isinstance(result, promql.Scalar)
    assert result.value == 96


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab1 ()[]{}\"'`\\=~!,+-*/<>@:._5m\n#$", max_size=30))
def test_any_text_is_a_query_or_a_bad_request(text: str) -> None:
    kinds = set()
    try:
        parse(text)
    except promql.QueryError as refused:
        kinds.add(refused.kind)
    assert kinds <= {"bad_data"}


def test_selectors_of_match_parameters_are_plain() -> None:
    assert promql.parse_selector('up{job!="x"}') == [Matcher("job", "!=", "x"), Matcher("__name__", "=", "up")]
    for wrong in ("up offset 5m", "up[5m]", "sum(up)", "1"):
        with pytest.raises(promql.QueryError):
            promql.parse_selector(wrong)


@pytest.mark.parametrize(
    ("query", "matchers"),
    [
        ("by", [Matcher("__name__", "=", "by")]),
        ("anchored", [Matcher("__name__", "=", "anchored")]),
        ('{"a b", smoothed="x"}', [Matcher("__name__", "=", "a b"), Matcher("smoothed", "=", "x")]),
        (r'a{b="\xc3\xa9\u00e9\"\n"}', [Matcher("b", "=", 'éé"\n'), Matcher("__name__", "=", "a")]),
        (r'a{b="\xff"}', [Matcher("b", "=", "\udcff"), Matcher("__name__", "=", "a")]),
        (r"a{b=`\n`,}", [Matcher("b", "=", r"\n"), Matcher("__name__", "=", "a")]),
    ],
)
def test_names_and_values_are_read(query: str, matchers: list[Matcher]) -> None:
    assert promql.parse_selector(query) == matchers


def test_a_plain_selector_has_a_matcher_that_excludes() -> None:
    with pytest.raises(promql.QueryError, match="must contain at least one non-empty matcher"):
        promql.parse_selector('{a=~".*"}')


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("010", 8), ("08", 8), ("0x1F", 31), ("0x_1f", 31), ("1_000", 1000), ("1.5e3", 1500), (".5", 0.5),
        ("5.", 5), ("1e-400", 0), ("Inf", math.inf), ("-iNf", -math.inf), ("1h30m", 5400), ("-5ms", -0.005),
        ("9223372036854775807", 2**63), ("0777777777777777777777", 2**63), ("07777777777777777777777", 7.8e21),
    ],
)  # fmt: skip
def test_numbers_are_read_as_in_go(number: str, value: float) -> None:
    tree = parse(number)
    assert isinstance(tree, ast.Number)
    assert tree.value == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(
    ("query", "range_ms", "step_ms", "offset_ms"),
    [
        ("a[1h/2:]", 1_800_000, None, 0),
        ("a[4.18:1.0005]", 4180, 1000, 0),
        ("a[5m + 30s * 2:step()]", 360_000, 15_000, 0),
        ("a[-(1m - 2m):max_of(step(), 20)]", 60_000, 20_000, 0),
        ("a[range()/2:min_of(step(), 20)] offset -step()", 1_800_000, 15_000, -15_000),
        ("a[2^3^0:1] offset (1m + 1m) * 2", 2000, 1000, 240_000),
        ("a[7m%2m:1] offset 5m @ 3", 60_000, 1000, 300_000),
    ],
)
def test_durations_are_computed(query: str, range_ms: int, step_ms: int | None, offset_ms: int) -> None:
    tree = preprocess(parse(query), query, 15_000, 3_600_000)
    assert isinstance(tree, ast.Subquery)
    assert (tree.range_ms, tree.step_ms, tree.offset_ms) == (range_ms, step_ms, offset_ms)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("a[1m-1h]", "2:7: duration must be greater than 0"),
        ("rate({'é'}[5m/(1-1)])", "12:19: division by zero"),
        ("a offset (5m%(1-1))", "10:17: modulo by zero"),
        ("a[10^400]", "2:8: duration is NaN or infinite"),
        ("a[(0-8)^0.5]", "3:11: duration is NaN or infinite"),
        ("a[10^18]", "2:7: duration is out of range"),
        ("a[step()]", "2:8: duration must be greater than 0"),
    ],
)
def test_what_a_duration_cannot_be_is_told_with_its_place_in_bytes(query: str, message: str) -> None:
    with pytest.raises(promql.QueryError) as refused:
        preprocess(parse(query), query, 0, 0)
    assert (refused.value.kind, refused.value.message) == ("bad_data", message)
