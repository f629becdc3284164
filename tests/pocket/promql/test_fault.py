"""Where and why a text is no PromQL, as Prometheus says it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket.query import promql
from pocket.query.promql.fault_grammar import fault
from pocket.query.promql.parsing import parse
from pocket.query.promql.text import tokens

from .faults import FAULTS

WORDS = ["a", "sum", "by", "(", ")", "{", "}", "[", "]", "=", '"x"', "5m", "+", ",", "@", "on", "offset"]


def refusal(query: str) -> str:
    with pytest.raises(promql.QueryError) as refused:
        parse(query)
    return str(refused.value)


@pytest.mark.parametrize(("query", "message"), FAULTS)
def test_place_and_reason(query: str, message: str) -> None:
    assert refusal(query) == message.replace("|", ": parse error: ", 1)


def test_the_messages_are_prometheus_own(real_prometheus: Any) -> None:
    if real_prometheus.major < 3:
        pytest.skip("Prometheus 2 words some of them otherwise")
    said = [(query, real_prometheus.query("query", {"query": query})["error"]) for query, _ in FAULTS]
    assert said == [
        (query, 'invalid parameter "query": ' + message.replace("|", ": parse error: ", 1))
        for query, message in FAULTS
    ]


@pytest.mark.parametrize(
    "query",
    [
        "sum by (a, b) (rate(x[5m])) / on (a) group_left () y",
        "-a + +b", 'a{b="c",} offset 5m', "sum(a) by (b) > bool 1",
        "{a=~\"b\"}[5m:1m]", "a @ end()", "count(up{a='b'} == 0) or vector(0)", "by + offset",
    ],
)  # fmt: skip
def test_what_is_right_has_no_fault(query: str) -> None:
    assert fault(tokens(query), len(query)) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS)))
def test_any_words_have_a_fault_inside_the_text_or_none(parts: list[str]) -> None:
    text = " ".join(parts)
    found = fault(tokens(text), len(text))
    assert found is None or 0 <= found.offset <= len(text)
