"""Where and why a text is no PromQL, as Prometheus says it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket.query import promql
from pocket.query.promql.parse import parse

from .faults import FAULTS

WORDS = ["a", "sum", "by", "(", ")", "{", "}", "[", "]", "=", '"x"', "5m", "+", ",", "@", "on", "offset", "step"]


def refusal(query: str) -> str:
    with pytest.raises(promql.QueryError) as refused:
        parse(query)
    return str(refused.value)


@pytest.mark.parametrize(("query", "message"), FAULTS)
def test_place_and_reason(query: str, message: str) -> None:
    assert refusal(query) == message.replace("|", ": parse error: ", 1)


def test_the_messages_are_prometheus_own(real_prometheus: Any) -> None:
    said = [(query, real_prometheus.query("query", {"query": query})["error"]) for query, _ in FAULTS]
    assert said == [
        (query, 'invalid parameter "query": ' + message.replace("|", ": parse error: ", 1))
        for query, message in FAULTS
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1))
def test_any_words_have_a_fault_inside_the_text_or_none(parts: list[str]) -> None:
    text = " ".join(parts)
    message = ""
    try:
        parse(text)
    except promql.QueryError as fault:
        message = fault.message
    place = re.match(r"1:(\d+): parse error: ", message)
    assert not message or (place and 1 <= int(place[1]) <= len(text) + 1)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sum by (e) (a) by (b)", "1:16"),
        ("'é' + b c", "1:10"),
        ('a{b="日本"} c', "1:15"),
        ('"é\n', "1:1"),
        ("# é\nb c", "2:3"),
    ],
)
def test_columns_are_counted_in_bytes(query: str, message: str) -> None:
    assert refusal(query).startswith(f"{message}: parse error: ")
