"""Go's quoted texts, as strconv reads and writes them."""

from __future__ import annotations

import pytest

from pocket.query.quoting import quoted, unquote


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ('"plain"', "plain"), (r'"a\tb\"c\\"', 'a\tb"c\\'), (r'"\xc3\xa4"', "ä"), (r'"\303\244"', "ä"),
        (r'"\u00e4\U0001F3B2"', "ä\U0001f3b2"), (r'"\xff"', "\ufffd"),
        (r"'it\'s'", "it's"), ("`a\\tb\r`", "a\\tb"),
    ],
)  # fmt: skip
def test_a_literal_is_read(literal: str, text: str) -> None:
    assert unquote(literal) == text


def test_bytes_that_are_no_text_can_be_kept() -> None:
    assert unquote(r'"a\xff"', "surrogateescape") == "a\udcff"


@pytest.mark.parametrize("literal", [r'"\q"', r'"\'"', r'"\ud800"', r'"\400"', r'"\U00110000"'])
def test_a_bad_escape_is_refused(literal: str) -> None:
    with pytest.raises(ValueError, match="invalid"):
        unquote(literal)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("plain", '"plain"'), ('a"b\\c', r'"a\"b\\c"'), ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\x00\x7f", r'"\x00\x7f"'), ("ä 🎲", '"ä 🎲"'), ("\u00a0\u2028", r'"\u00a0\u2028"'),
        ("\udcff", r'"\xff"'),
        ("\U000e0001", r'"\U000e0001"'),
    ],
)  # fmt: skip
def test_a_text_is_quoted(text: str, literal: str) -> None:
    assert quoted(text) == literal
