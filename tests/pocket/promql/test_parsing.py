"""What is read, where it stands, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket.query import promql
from pocket.query.promql import ast
from pocket.query.promql.parsing import parse
from pocket.rows import Matcher


def test_a_query_becomes_a_tree_in_milliseconds() -> None:
    tree = parse('sum by (b, a) (rate(x_total{j=~"u|v"}[5m] offset -1m @ 12.5))')
    matchers = (Matcher("j", "=~", "u|v"), Matcher("__name__", "=", "x_total"))
    selector = ast.Selector(20, matchers, -60_000, 12_500)
    call = ast.Call(15, "rate", (ast.Range(20, selector, 300_000),))
    assert tree == ast.Aggregate(0, "sum", call, None, False, ("a", "b"))


def test_vector_matching_is_read() -> None:
    tree = parse("a * on (x) group_right (y) b")
    assert isinstance(tree, ast.Binary)
    assert tree.matching == ast.Matching(on=True, labels=("x",), many="right", include=("y",))


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ("rate(a[5m]) + b", [5, 14]),
        ("sum by (a) (a) / on (a) group_left (b) a", [12, 39]),
        ('label_replace(a, "a", "(", "b", ",") - sum(a) by (a) + (a @ start())', [14, 43, 55]),
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
        "histogram_count(a)", "histogram_quantiles(a, \"q\", 0.1)", "a[1.5]", "a offset 1.5", "a[5m:1.5]",
        "a @ -1", "a @ 1e300", "a[999999999y]", "a" * 200_000, "a\x00",
        "(" * 5000 + "1" + ")" * 5000, "1" + "+1" * 500,
    ],
)  # fmt: skip
def test_what_is_no_query_or_not_supported_is_a_bad_request(query: str) -> None:
    with pytest.raises(promql.QueryError) as refused:
        parse(query)
    assert (refused.value.kind, refused.value.status) == ("bad_data", 400)


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
