"""Searches over the traces of conftest; the answers were compared with Tempo 3.0's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket.query import traceql
from pocket.query.errors import QueryFailure
from pocket.query.traceql import ast
from pocket.query.traceql.evaluate import matches
from pocket.query.traceql.trace import Trace
from pocket.rows import Span

SECOND = 10**9
BASE = 1_700_000_000 * SECOND
ALL = "A1:1234 A2:12 A3:1234 A4:1 A5:56 A6:1"


def found(source: Any, text: str, limit: int = 20) -> str:
    """`A1:13 A4:1`: traces oldest first, the spans of their first spanset by number."""
    result = traceql.search(source, traceql.parse(text), BASE, BASE + 100 * SECOND, limit=limit)
    shown = [
        f"{int(match.trace.trace_id, 16):X}:"
        + "".join(sorted(span.span_id[-1] for span in match.spansets[0].spans))
        for match in result
    ]
    return " ".join(reversed(shown))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", ALL),
        ('{ resource.service.name = "frontend" }', "A1:12 A2:1 A3:1"),
        ('{ .service.name = "frontend" }', "A1:12 A2:1 A3:1"),
        ('{ span.die.type = "fair" }', "A1:2 A3:234"),
        ('{ span.die.type != "fair" }', "A2:2"),  # what is missing is not different
        ('{ span.die.type =~ "f.*" }', "A1:2 A3:234"),
        ('{ name =~ "GET" }', "A1:2"),  # anchored at both ends
        ("{ duration > 100ms }", "A2:12 A3:1234"),
        ("{ duration >= 1.2s && duration < 1m }", "A3:1"),
        ("{ status = error }", "A2:12 A5:6"),
        ("{ kind != client && status = error }", "A2:12 A5:6"),
        ('{ statusMessage = "boom" }', "A2:1"),
        ('{ rootServiceName = "frontend" && name = "SELECT" }', "A1:4"),
        ("{ traceDuration > 1s }", "A3:1234"),
        ('{ trace:id = "a1" }', "A1:1234"),
        ('{ span:id = "000000a100000003" }', "A1:3"),
        ("{ span:childCount > 2 }", "A3:1"),
        ("{ nestedSetParent < 0 }", "A1:1 A2:1 A3:1 A4:1 A6:1"),
        ("{ span.http.response.status_code = 200 }", "A1:12"),
        ('{ span.http.response.status_code = "200" }', ""),  # a type is respected
        ("{ span.http.response.status_code > 199.5 }", ""),
        ("{ span.ratio = 0.25 }", "A1:3"),
        ("{ span.die.found = true }", "A1:3"),
        ("{ !span.flag }", "A6:1"),
        ("{ span.die.type != nil }", "A1:2 A2:2 A3:234"),
        ("{ span.die.type = nil && duration < 6ms }", "A1:4"),  # the others have no attributes at all
        ('{ span.tags = "b" }', "A6:1"),
        ("{ span.nums > 2 }", "A6:1"),
        ('{ span."a b" = "spaced" }', "A6:1"),
        ('{ .replica = "shadow" }', "A6:1"),
        ("{ .replica = 2 }", "A1:1234 A2:12 A3:1234 A4:1 A5:56"),  # the span's own hides the resource's
        ("{ event.attempt = 2 }", "A2:2"),
        ('{ event:name = "exception" && event.exception.type = "ValueError" }', "A2:2"),
        ('{ link.why = "follows" }', "A4:1"),
        ('{ instrumentation:name = "tests" && name = "odd" }', "A6:1"),
        ('{ instrumentation.mode = "auto" }', "A6:1"),
        ("{ instrumentation.level > 1 }", "A6:1"),
        ('{ .mode = "auto" }', ""),  # a scope's attributes are not looked for without a scope
        ('{ span.mode = "auto" }', ""),
        ("{ span.die.result + 1 = 8 }", "A2:2"),
        ("{ -span.die.result < -2 }", "A2:2 A3:4"),
        ("{ 1 * -1 = -1 }", ALL),
        ("{ 2 * -3 * 4 + 1 = -23 && !(1 = 2) }", ALL),
        ("{ 5.0 % 0.0 = 1.0 }", ""),
        ("{ 5.0 / 0 > 1 }", ALL),
        ("{ 7 / 2 = 3 && -7 / 2 = -3 && -7 % 2 = -1 }", ALL),
        ("{ 3ns / 2 = 1.5 && 3ns / 2 > 1ns }", ALL),
        ("{ duration / 1s > 1.1 }", "A3:1"),
        ('{ name = "cleanup" && -duration / 1ms = -0.5 }', "A4:1"),
        ("{ event.attempt = nil }", "A2:2"),  # one of two events has none
        ("{ event.nope = nil }", "A2:2"),
        ("{ link.why = nil }", ""),
        ("{ link.nope = nil }", "A4:1"),
        ("{ instrumentation.mode = nil && nestedSetParent < 0 }", ""),  # the others have no scope with attributes
        ("{ instrumentation.nope = nil }", "A6:1"),
        ("{ resource.nope = nil && span.flag = false }", "A6:1"),
        ("{ .replica = nil && duration < 6ms }", "A1:4"),  # the resource has it, the span does not
        ("({ kind = server } | count() > 0) > ({ kind = client } | count() > 0)", "A1:24"),
        (
            '(({ status = error } | count() > 0) && ({ kind = server })) || ({ name = "odd" } | select(name))',
            "A2:12 A5:56 A6:1",
        ),
        ("(({ status = error }) && ({ kind = server })) | count() > 0", "A2:12 A5:56"),
        ('{ name = "odd" } || { name = "SELECT" }', "A1:4 A6:1"),
        ('{ resource.service.name = "frontend" } && { resource.service.name = "roller" }', "A2:12 A3:1234"),
        ('{ name = "GET /roll" } > { kind = client }', "A1:2"),
        ('{ name = "GET /roll" } >> { name = "SELECT" }', "A1:4"),
        ('{ name = "SELECT" } << { kind = server }', "A1:13"),
        ("{ kind = client } < { kind = server }", "A1:13"),
        ('{ name = "roll die" } ~ { span.roll.index = 0 }', "A3:2"),
        ("{ kind = server } !> { kind = client }", ""),
        ('{ kind = server } !>> { name = "cleanup" }', "A4:1"),
        ('{ name = "GET /roll" } &>> { name = "SELECT" }', "A1:14"),
        ('{ name = "orphan" } > { }', ""),  # without a root there is no tree
        ("{ } | count() > 2", "A1:1234 A3:1234"),
        ("{ } | avg(duration) > 700ms", "A3:1234"),
        ("{ } | max(duration) > 1s", "A3:1234"),
        ("{ } | sum(span.die.result) > 5", "A2:12 A3:1234"),
        ('{ name = "roll die" } | count() > 1 | avg(span.die.result) = 2', "A3:234"),
        ("{ } | by(resource.service.name) | count() > 2", "A3:234"),
        ("{ } | by(kind) | count() > 2 | coalesce()", "A3:234"),
        ("{ } | { status = error }", "A2:12 A5:6"),
        ("({ status = error }) && ({ kind = server })", "A2:12 A5:56"),
        ("{ 3 < 2 }", ""),
    ],
)
def test_search(source: Any, text: str, expected: str) -> None:
    assert found(source, text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ 5 / 0 = 1 }", "division by zero"),
        ("{ 5 % 0 = 1 }", "modulo by zero"),
        ("{ span.die.result / 0 = 1 }", "division by zero"),
        ("{ !span.die.type }", "expression (!span.die.type) expected a boolean, but got TypeString"),
        ("{ !span.nums }", "expression (!span.nums) expected a boolean, but got TypeIntArray"),
        ("{ -span.die.type = 1 }", "expression (-span.die.type) expected a numeric, but got TypeString"),
        ("{ span.nums + 1 = 2 }", "unsupported operation"),
        ("{ } | { -span.flag > 1 }", "expression (-span.flag) expected a numeric, but got TypeBoolean"),
    ],
)
def test_what_does_not_fit_at_run_time_ends_the_query(source: Any, text: str, message: str) -> None:
    with pytest.raises(QueryFailure) as failed:
        found(source, text)
    assert failed.value.message == message


def test_an_aggregate_of_durations_is_a_duration(source: Any) -> None:
    query = traceql.parse("{ name = `roll die` } | avg(duration) > 500ms")
    [match] = traceql.search(source, query, BASE, BASE + 100 * SECOND, limit=9)
    assert match.spansets[0].attributes == {"avg(duration)": ast.Duration(600_000_000)}


def test_the_newest_come_first_and_the_limit_holds(source: Any) -> None:
    assert found(source, "{}", limit=2) == "A5:56 A6:1"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('{ resource.service.name = "x" && name = "y" && status = error && kind = server }', ("x", "y", 2, 2)),
        ('{ resource.service.name = "x" || name = "y" }', (None, None, None, None)),
        ('{ name = "a" } >> { resource.service.name = "b" }', ("b", None, None, None)),
        ('{ name = "a" } !> { }', (None, None, None, None)),
        ('{ name = "a" } || { name = "b" }', (None, None, None, None)),
        ('{ .service.name = "x" }', (None, None, None, None)),  # it may be the span's
    ],
)
def test_what_the_store_can_filter_is_pushed_down(source: Any, text: str, asked: tuple[Any, ...]) -> None:
    list(matches(source, traceql.parse(text), BASE, BASE + 1))
    assert tuple(source.asked.values()) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('{span.a = "b" && span.c > 5}', (("a", "b"), ("c", None))),
        ('{span.a =~ "b" && span.d != true}', (("a", None), ("d", None))),
        ('{span.a = "b" || span.c > 5}', ()),
        ('{.a = "b"}', ()), ("{span.a = nil}", ()), ('{!(span.a = "b")}', ()),
    ],
)  # fmt: skip
def test_attributes_that_a_span_must_have_are_pushed_down(
    source: Any, text: str, asked: tuple[tuple[str, str | None], ...]
) -> None:
    list(matches(source, traceql.parse(text), BASE, BASE + 100 * SECOND))
    assert source.attributes == asked


def test_a_pushed_down_filter_never_loses_a_trace(source: Any) -> None:
    """Every query answers the same on a store that filters nothing."""

    class Unfiltered:
        def newest(self, start_ns: int, end_ns: int, **_: Any) -> Any:
            return source.newest(start_ns, end_ns)

    for name in ("GET /roll", "SELECT", "orphan"):
        for op in (
            "&&",
            "||",
            ">",
            ">>",
            "<",
            "<<",
            "~",
            "!>",
            "!>>",
            "!<",
            "!<<",
            "!~",
            "&>",
            "&>>",
            "&<",
            "&<<",
            "&~",
        ):
            text = f'{{ name = "{name}" && duration > 1ms }} {op} {{ kind = client }}'
            assert found(source, text) == found(Unfiltered(), text), text


def test_an_operator_between_several_spansets_is_refused(source: Any) -> None:
    with pytest.raises(QueryFailure, match="consider using coalesce") as failure:
        found(source, "({ } | by(name)) > ({ } | by(kind))")
    assert failure.value.status == 400


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_any_parentage_makes_a_tree_or_none(edges: list[tuple[int, int]]) -> None:
    """Cycles, twins and orphans: numbers nest, and every span that has some hangs on a root."""
    spans = [
        Span("a" * 32, f"{own:016x}", f"{parent:016x}" if parent else "", "x", 1, BASE + index, BASE + index + 1)
        for index, (own, parent) in enumerate(edges)
    ] or [Span("a" * 32, "1" * 16, "", "x", 1, BASE, BASE)]
    bounds = list(Trace(spans).bounds.values())
    assert all(left < right for left, right, _ in bounds)
    assert all(
        a[1] < b[0] or b[1] < a[0] or (a[0] < b[0]) == (b[1] < a[1]) for a in bounds for b in bounds if a != b
    )
