"""What templates make is bounded, whatever the function: charged before it is made."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from pocket.budget import Budget, TooMuch, current, spending
from pocket.query import logql
from pocket.query.logql import go_format
from pocket.rows import LogEntry

from .conftest import BASE, MemoryLogs

LIMIT = 8 << 20


def lines(pipeline: str, *texts: str) -> list[str]:
    source = MemoryLogs([LogEntry({"app": "x"}, BASE + n, text, {}) for n, text in enumerate(texts or ("line",))])
    query = logql.parse_log_query(f'{{app="x"}} {pipeline}')
    found = logql.streams(source, query, BASE, BASE + 10**9, limit=5000, newest_first=False)
    return [line.text for stream in found for line in stream.lines]


MULTIPLIERS = [
    "{{ repeat 100000000 `x` }}",
    "{{ repeat 100000000 `x` | len }}",
    "{{ indent 100000000 `x` }}",
    "{{ nindent 100000000 `x` }}",
    "{{ alignLeft 100000000 `x` }}",
    "{{ alignRight 100000000 `x` }}",
    "{{ printf `%100000d` 1 | replace `0` `x` | replace ` ` (repeat 1000 `y`) }}",
    "{{ Replace (repeat 10000 `ab`) `a` (repeat 10000 `c`) -1 }}",
    "{{ regexReplaceAll `a` (repeat 10000 `a`) (repeat 10000 `c`) }}",
    "{{ regexReplaceAllLiteral `a` (repeat 10000 `a`) (repeat 10000 `c`) }}",
    "{{ regexReplaceAll `.+` (repeat 10000 `a`) `" + "$0" * 1000 + "` }}",
    "{{ urlencode (repeat 5000000 `é`) }}",
    "{{ b64enc (repeat 5000000 `x`) | b64enc }}",
    "{{ print (repeat 3000000 `x`) (repeat 3000000 `x`) (repeat 3000000 `x`) }}",
    "{{ printf `%s%s%s` (repeat 3000000 `x`) (repeat 3000000 `x`) (repeat 3000000 `x`) }}",
    "{{ printf `%s` (printf `%999999d` 1 | repeat 10) }}",
    "{{ repeat 5000 (repeat 5000 `x`) }}",
]


@pytest.mark.parametrize("template", MULTIPLIERS)
def test_what_multiplies_text_is_refused_before_it_is_made(template: str) -> None:
    tracemalloc.start()
    try:
        with spending(Budget(held_bytes=LIMIT)), pytest.raises(TooMuch):
            lines(f"| line_format {json.dumps(template)}")
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()


def test_labels_that_double_end_the_query() -> None:
    doubling = '| label_format a="xx"' + ' | label_format a="{{.a}}{{.a}}"' * 30
    with spending(Budget(held_bytes=LIMIT)), pytest.raises(TooMuch):
        lines(doubling)


def test_what_a_dropped_line_made_is_not_counted_against_the_next() -> None:
    with spending(Budget(held_bytes=LIMIT)):
        assert lines('| line_format "{{ repeat 1000000 `x` }}" |= "y"', *["line"] * 100) == []
        assert current().held == 0


def test_lines_of_an_answer_are_counted_together() -> None:
    with spending(Budget(held_bytes=LIMIT)), pytest.raises(TooMuch):
        lines('| line_format "{{ repeat 1000000 `x` }}"', *["line"] * 100)


def test_a_query_without_a_budget_has_the_default_one() -> None:
    with spending(Budget()), pytest.raises(TooMuch):
        lines('| line_format "{{ repeat 1000000000 `x` }}"')


def test_numbers_wrap_around_as_in_go() -> None:
    assert lines('| line_format "{{ add 9223372036854775807 1 }}"') == ["-9223372036854775808"]
    assert lines('| line_format "{{ mul 4611686018427387904 4 }}"') == ["0"]


# Each as fmt.Sprintf of Go 1.24 answers it (fmt_test.go has most of them).
FORMATS = [
    ("%v %v %v", ("a", 1, 1.5), "a 1 1.5"),
    ("%5d|%-5d|%05d", (42, 42, -42), "   42|42   |-0042"),
    ("%+d % d", (5, 5), "+5  5"),
    ("%x %X %o %b %c", (255, 255, 8, 5, 65), "ff FF 10 101 A"),
    ("%#x", (255,), "0xff"),
    ("%.2f %e %g", (3.14159, 1500.0, 0.5), "3.14 1.500000e+03 0.5"),
    ("%6.2f|%-8.3f|", (3.14159, 2.5), "  3.14|2.500   |"),
    ("%s %q %x", ("hi", "hi", "hi"), 'hi "hi" 6869'),
    ("%.2s|%5s|%-5s|", ("hello", "ab", "ab"), "he|   ab|ab   |"),
    ("%t %v", (True, False), "true false"),
    ("100%%", (), "100%"),
    ("%d", ("x",), "%!d(string=x)"),
    ("%s", (5,), "%!s(int=5)"),
    ("%d", (), "%!d(MISSING)"),
    ("a", (1, "b"), "a%!(EXTRA int=1, string=b)"),
    ("%", (), "%!(NOVERB)"),
    ("%*d", (5, 42), "   42"),
    ("%-*d|", (5, 42), "42   |"),
    ("%1000000000d", (1,), "%!(BADWIDTH)1"),
    ("%1000001d", (1,), "%!(BADWIDTH)1"),
    ("%.1000000000d", (1,), "%!(BADPREC)1"),
    ("%*d", (10_000_000, 1), "%!(BADWIDTH)1"),
    ("%T", (1,), "int"),
]


@pytest.mark.parametrize(("layout", "values", "shown"), FORMATS)
def test_printf_is_gos(layout: str, values: tuple[object, ...], shown: str) -> None:
    assert go_format.sprintf(layout, *values) == shown


def test_a_width_of_a_million_is_still_made() -> None:
    assert len(go_format.sprintf("%1000000d", 1)) == 1_000_000
