# ruff: noqa: E501 - a case a line reads best
"""Log queries over the lines of conftest: which lines stay, and with what labels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket.query import logql
from pocket.query.logql import template
from pocket.query.logql.levels import with_level
from pocket.query.logql.record import Record
from pocket.query.logql.template_types import TemplateError
from pocket.rows import LogEntry

SECOND = 10**9
BASE = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND
ROLLER, APP, NGINX = '{service_name="dice-roller"}', '{service_name="app"}', '{service_name="nginx"}'


def ask(logs: Any, text: str, **options: Any) -> list[logql.Stream]:
    query = logql.parse_log_query(text)
    return logql.streams(logs, query, BASE, BASE + MINUTE, **{"limit": 1000, "newest_first": False, **options})


def numbers(logs: Any, text: str) -> list[int]:
    """The lines of the answer by their number in conftest's LINES."""
    return sorted((line.t_ns - BASE) // SECOND for stream in ask(logs, text) for line in stream.lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ROLLER, [0, 1, 2, 3, 4, 12]),
        ('{level=~"err.*|warning"}', [2, 4]),
        (ROLLER + ' |= "rolled"', [0, 1, 12]),
        (ROLLER + ' |= "rolled" or "slow"', [0, 1, 4, 12]),
        (ROLLER + ' != "rolled" or "slow"', [2, 3]),
        (ROLLER + ' |~ "roll.*fair" != "KB"', [0, 12]),
        (ROLLER + ' |> "<_>rolled<_>"', [0, 1, 12]),
        (ROLLER + ' !> "<_>rolled<_>"', [2, 3, 4]),
        (ROLLER + " | json | roll_value > 4", [0, 4]),
        (ROLLER + " | json | took > 1s", [2, 4, 12]),  # "bad" stays, with an error
        (ROLLER + ' | json | took > 1s | __error__=""', [2, 4]),
        (ROLLER + " | json | size >= 1.5KB", [1, 12]),
        (ROLLER + ' | json | __error__="JSONParserErr"', [3]),
        (ROLLER + ' | json | die_type="fair" or roll_value > 5', [0, 1, 4, 12]),
        (ROLLER + ' | trace_id="a2"', [1]),
        (ROLLER + ' | json | trace_id_extracted="mine"', [4]),
        (ROLLER + ' | detected_level="warn"', [4]),
        (APP + ' | detected_level="error"', [8, 10]),
        (APP + " | logfmt | duration > 100ms", [8]),
        (APP + " | logfmt | status == 200", [7, 9]),
        (APP + ' | logfmt --strict | __error__="LogfmtParserErr"', [9]),
        (NGINX + ' | pattern `<ip> - - <_> "<method> <_>" <status> <size>` | status = 500', [6]),
        (NGINX + ' | regexp `(?P<ip>\\S+) .*"(?P<method>\\w+) ` | method="POST"', [6]),
    ],
)  # fmt: skip
def test_filters(logs: Any, text: str, expected: list[int]) -> None:
    assert numbers(logs, text) == expected


def test_json_is_flattened_and_numbers_stay_as_written(logs: Any) -> None:
    [stream] = ask(logs, ROLLER + ' | json | message="slow"', categorize=True)
    assert stream.labels["level"] == "warning"
    [line] = stream.lines
    assert line.parsed == {
        "message": "slow", "roll_value": "7.50", "die_type": "x", "took": "2s", "_9lives": "1", "trace_id_extracted": "mine",
    } | {"die_type": "risky"}  # the first of two fields with one name wins  # fmt: skip
    assert line.metadata == {"trace_id": "a4", "detected_level": "warn"}
    [nested] = ask(logs, ROLLER + ' | json | level="error"', categorize=True)
    assert nested.lines[0].parsed["nested_a_b"] == "1"
    assert "nested_list" not in nested.lines[0].parsed


def test_json_paths_give_the_raw_text(logs: Any) -> None:
    query = (
        ROLLER
        + ' | json b="nested.a", l="nested.list", x="nested.list[1]", nope="no.such", nul="nothing" | level="error"'
    )
    [stream] = ask(logs, query, categorize=True)
    assert stream.lines[0].parsed == {"b": '{"b":1}', "l": '[1,"x"]', "x": "x", "nope": "", "nul": ""}


def test_labels_are_merged_unless_they_are_categorized(logs: Any) -> None:
    [plain] = ask(logs, ROLLER + ' | trace_id="a1"')
    assert plain.labels["trace_id"] == "a1"
    assert plain.labels["detected_level"] == "info"
    [split] = ask(logs, ROLLER + ' | trace_id="a1"', categorize=True)
    assert set(split.labels) == {"service_name", "container_name", "level"}


@pytest.mark.parametrize(
    ("stages", "line"),
    [
        ('| line_format "{{.msg}} ({{.status}})"', "hello world (200)"),
        ('| line_format "{{ .level | ToUpper }}-{{ .nope }}-{{ .duration | duration }}"', "INFO--0.012"),
        ('| line_format "{{ if eq .level \\"info\\" }}ok{{ else }}bad{{ end }} {{ add 1 2 }} {{ trunc 3 .msg }}"', "ok 3 hel"),
        ('| label_format a=msg, b="{{.status}}!" | line_format "{{.a}}{{.b}}{{.msg}}"', "hello world200!"),
        ('| drop level, status | line_format "{{.level}}{{.status}}{{.msg}}"', "hello world"),
        ('| keep msg | line_format "{{.level}}{{.status}}{{.msg}}"', "hello world"),
    ],
)  # fmt: skip
def test_formats(logs: Any, stages: str, line: str) -> None:
    streams = ask(logs, APP + ' |= "hello" | logfmt ' + stages)
    assert [found.text for stream in streams for found in stream.lines] == [line]


def test_decolorize(logs: Any) -> None:
    texts = [line.text for stream in ask(logs, APP + ' |= "red" | decolorize') for line in stream.lines]
    assert texts == ["red text ERROR: bad"]


def test_limit_direction_and_end(logs: Any) -> None:
    newest = ask(logs, ROLLER, limit=2, newest_first=True)
    assert sorted((line.t_ns - BASE) // SECOND for s in newest for line in s.lines) == [4, 12]
    query = logql.parse_log_query(ROLLER)
    up_to = logql.streams(logs, query, BASE, BASE + 2 * SECOND, limit=10, newest_first=False)
    assert [(line.t_ns - BASE) // SECOND for s in up_to for line in s.lines] == [0, 1]  # the end is exclusive


def test_substrings_are_pushed_to_the_source_until_the_line_changes(logs: Any) -> None:
    ask(logs, ROLLER + ' |= "rolled" | json |= "fair" | line_format "{{.message}}" |= "x"')
    assert logs.asked_contains == ("rolled", "fair")


@pytest.mark.parametrize(
    ("labels", "line", "level"),
    [
        ({"level": "WARNING"}, "", "warn"),
        ({}, '{"severity":"ERROR"}', "error"),
        ({}, '{"a":{"level":"dbg"}}', "debug"),
        ({}, "level=critical x", "critical"),
        ({}, "an error: happened", "error"),
        ({}, "misc:error terror", "unknown"),
        ({"level": "odd"}, "", "odd"),
    ],
)
def test_detected_level(labels: dict[str, str], line: str, level: str) -> None:
    assert with_level(LogEntry(labels, 0, line)).structured_metadata["detected_level"] == level


PIPELINE = '{a="b"} | json | logfmt | pattern `<_>=<p> ` | regexp `(?P<r>.)$` | label_format z="{{.p}}" | line_format "{{.r}}{{__line__}}"'


@given(
    st.text(max_size=80)
    | st.from_regex(r'(\w+=("[^"]*"?|\S*) ?){0,4}', fullmatch=True)
    | st.from_regex(r'\{("\w*":[\[{"1tn]?[^}]*\}?){0,3}', fullmatch=True)
)
def test_no_line_breaks_a_pipeline(line: str) -> None:
    class One:
        def select(self, *_: Any, **__: Any) -> Any:
            return iter([LogEntry({"a": "b"}, BASE, line)])

    query = logql.parse_log_query(PIPELINE)
    [stream] = logql.streams(One(), query, BASE, BASE + 1, limit=1)
    assert len(stream.lines) == 1


@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                ".a",
                "|",
                "if",
                "end",
                "else",
                "add 1 2",
                "trunc -1 .a",
                '"x"',
                "(",
                ")",
                "upper",
                " ",
                "x",
                "substr 9 1 .a",
                "round .a 2",
                "-",
            ]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_a_template_compiles_and_runs_or_says_why_not(text: str) -> None:
    assert isinstance(rendered(text), str)


def rendered(text: str) -> str:
    """What it gives or how it fails; an exception that is none of ours fails the test."""
    try:
        compiled = template.compile_template(text)
    except ValueError as error:
        return str(error)
    try:
        return compiled(Record(LogEntry({"a": "b"}, 0, "")))
    except TemplateError as error:
        return str(error)
