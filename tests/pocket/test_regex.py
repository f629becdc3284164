"""Patterns are RE2's, refused and matched as there, and in time linear in the text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pocket import regex

MATCHED = [  # where Python's `re` reads the same text otherwise
    (r"\d", "1", "٣"), (r"\w+", "a_1", "é"), (r"\pL", "é", "1"), (r"[[:alpha:]]+", "ab", "a1"),
    (r"a\z", "a", "a\n"), (r"a(?i)b|c", "aB", "Ab"), (r"\Qa.b\E", "a.b", "axb"), ("a{,5}", "a{,5}", "aa"),
    ("[a[b]", "[", "c"), ("[a-z&&b]", "&", "|"), ("(?<n>x)", "x", "y"), (r"[[:^alpha:]]", "1", "a"),
    (r"[\W]", "-", "a"), ("a$", "a", "a\n"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "match", "other"), MATCHED)
def test_a_pattern_is_read_as_re2_does(pattern: str, match: str, other: str) -> None:
    compiled = regex.compile(pattern)
    assert [compiled.fullmatch(text) is not None for text in (match, other)] == [True, False]


@pytest.mark.parametrize(
    "pattern", ["(", "(?=x)", "a++", r"(a)\1", "[b-a]", "x{2,1}", "*", r"\C", "x{1001}", r"\Qa", "a)(b", "\ud800"]
)
def test_what_go_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(regex.InvalidPatternError):
        regex.compile(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(b", "missing closing ): `a(b`"), ("a)b", "unexpected ): `a)b`"), ("[a", "missing closing ]: `[a`"),
        ("*", "missing argument to repetition operator: `*`"), ("a**", "invalid nested repetition operator: `**`"),
        ("(?=x)", "invalid or unsupported Perl syntax: `(?=`"), (r"\q", r"invalid escape sequence: `\q`"),
        ("x{1001}", "invalid repeat count: `{1001}`"), ("[b-a]", "invalid character class range: `b-a`"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
    ],
)  # fmt: skip
def test_the_reason_is_in_the_words_of_go(pattern: str, reason: str) -> None:
    with pytest.raises(regex.InvalidPatternError) as refused:
        regex.compile(pattern)
    assert str(refused.value) == reason


def test_a_dot_is_a_newline_only_where_asked() -> None:
    assert regex.compile("a.b", dot_all=True).fullmatch("a\nb")
    assert not regex.compile("a.b").fullmatch("a\nb")


def test_nested_repeats_on_a_long_text_end() -> None:
    """Python's own `re` takes 2^40 steps for these forty letters: the child would outlive the test."""
    code = "from pocket import regex; print(regex.compile('(a+)+$').search('a' * 40 + 'b'))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "None"


@pytest.mark.parametrize(
    ("template", "text"),
    [("$1-${word}", "é-ü"), ("$$1", "$1"), ("$1x|$9|$no", "||"), ("${1}x", "éx"), ("$", "$"), (r"\1", r"\1")],
)
def test_a_template_expands_as_in_go(template: str, text: str) -> None:
    match = regex.compile(r"(?P<first>é)(?P<word>ü)(z)?").search("aéü")
    assert match is not None
    assert regex.expand(template, match) == text
