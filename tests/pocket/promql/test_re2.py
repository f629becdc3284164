"""Patterns match here what they match in RE2."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket.query import re2

PATTERNS = [
    "a|b", "(?i)ab", "a(?i)b|c", "a|(?i)b", "(?i:x)y", "a(b(?i)c)d", r"\d+\w", "[[:alpha:]]+", "[^]a]+", "[]a]",
    "a{,5}", "x{2}", r"\Qa.b\E", "(?P<n>x)", "(?<n>x)", "a$", "^a", "[a[b]", r"[\d-]+", r"\bfoo\b",
    "(?s).*", "[\\]]", r"\x{41}", "", ".+", ".*foo.*", r"\.", "[^:]+", "5..", "[a-z&&b]", "[a||b]", r"a\z",
    r"[^\w]", r"\D",
]  # fmt: skip
TEXTS = [
    "a", "b", "ab", "AB", "aB", "aC", "1w", "abc", "x", "xx", "a.b", "A", "foo", "a{,5}", "[", "a[", "", "bCd",
    "abCd", "abcd", "Xy", "XY", "503", "1.2", "&", "-", "|", "a\n", "]", ":", "é", "5é1", "a\nb",
]  # fmt: skip


def in_re2(pattern: str, texts: list[str]) -> list[bool]:
    return list(pc.match_substring_regex(pa.array(texts), f"^(?s:{pattern})$").to_pylist())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_as_in_re2(pattern: str) -> None:
    ours = re.compile(re2.translate(pattern), re.DOTALL)
    assert [ours.fullmatch(text) is not None for text in TEXTS] == in_re2(pattern, TEXTS)


@pytest.mark.parametrize(
    "pattern", ["(", "(?=x)", "a++", r"(a)\1", "[b-a]", "x{2,1}", "*", "a\0", "x{1001}", r"\Qa", "a)(b"]
)
def test_what_re2_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(re2.InvalidPatternError):
        re2.translate(pattern)


@pytest.mark.parametrize("pattern", [r"\pL", "(?U)a+", "[[:^alpha:]]", r"[\W]"])
def test_what_only_re2_can_is_refused_and_not_read_otherwise(pattern: str) -> None:
    with pytest.raises(re2.InvalidPatternError, match="cannot be evaluated here"):
        re2.translate(pattern)


@given(st.text(alphabet="ab|()[]?*+.^$\\dwQEi:-{},1&", max_size=10), st.text(alphabet="ab1&-{}", max_size=4))
def test_made_patterns_match_as_in_re2_or_are_refused(pattern: str, text: str) -> None:
    try:
        ours = re.compile(re2.translate(pattern), re.DOTALL)
    except re2.InvalidPatternError:
        return
    assert [ours.fullmatch(text) is not None] == in_re2(pattern, [text])
