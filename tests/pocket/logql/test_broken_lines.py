# ruff: noqa: E501 - a case a line reads best
"""Lines that are not quite JSON, and empty values; the answers are those of Loki."""

from __future__ import annotations

from typing import Any

import pytest

from pocket.query import logql
from pocket.query.errors import QueryFailure
from pocket.query.logql import json_scan
from pocket.query.logql.levels import LABEL
from pocket.rows import LogEntry

from .conftest import BASE, SECOND, MemoryLogs

STRING, ARRAY, OBJECT = json_scan.NO_STRING_END, json_scan.NO_ARRAY_END, json_scan.NO_OBJECT_END
KIND = {"__error__": "JSONParserErr"}


def parsed(line: str, stages: str) -> dict[str, str]:
    """The labels of one line behind the stages, but for its stream's."""
    [stream] = logql.streams(
        MemoryLogs([LogEntry({"app": "x"}, BASE, line)]),
        logql.parse_log_query('{app="x"} ' + stages),
        BASE,
        BASE + 1,
        limit=1,
    )
    return {name: value for name, value in stream.labels.items() if name not in ("app", LABEL)}


def failed(details: str, **labels: str) -> dict[str, str]:
    return {**labels, **KIND, "__error_details__": details}


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ('{"a":"1","a":"2"}', {"a": "1"}),
        ('{"n":{"b":"3","b":"4"},"n":{"c":"5"}}', {"n_b": "3", "n_c": "5"}),
        ('{"a":"1","b":2,"c":tru', failed(json_scan.UNKNOWN, a="1", b="2")),
        ('{"a":"1","b":"tw', failed(STRING, a="1")),
        ('{"a":"1","b":{"c":"2","d":', failed(OBJECT, a="1")),
        ('{"a":"1","b":{"c":"2"} "e":1}', failed(OBJECT, a="1", b_c="2")),
        ('{"a":"1","b":[1,2', failed(ARRAY, a="1")),
        ('{"a":"1"', failed(ARRAY, a="1")),
        ('{"a"', failed(json_scan.MALFORMED)),
        ("{", failed(json_scan.MALFORMED)),
        ("", failed(OBJECT)),
        ('["a"]', failed(OBJECT)),
        ('{"a":1}trailing', {"a": "1"}),
        ('{"a":"1",}', {"a": "1"}),
        ('{"a":01,"b":1e5,"c":-,"d":+1}', failed(json_scan.UNKNOWN, a="01", b="1e5", c="-")),
        ('{"a":"\\u00e4\\ud83c\\udfb2 \\q","b":"\\ud800","c":"\\ud83c\\udfb2","d":"x"', failed(ARRAY, a="", b="", c="🎲", d="x")),
        ("{" + '"a":{' * 5000, failed(OBJECT)),
    ],
)  # fmt: skip
def test_the_first_of_a_name_counts_and_what_precedes_a_break_stays(line: str, labels: dict[str, str]) -> None:
    assert parsed(line, "| json") == labels


@pytest.mark.parametrize(
    ("line", "stage", "labels"),
    [
        ('{"a":"1","a":"2"}', "a", {"a": "1"}),
        ('{"n":{"b":"3"},"n":{"c":"5"}}', 'c="n.c"', {"c": "5"}),
        ('{"a":"1","b":"tw', "a, b", failed(STRING, a="1", b="")),
        ('{"a":nope,"b":1}', "a, b", failed(json_scan.UNKNOWN, a="", b="1")),
        ('{"a":"1","b":[1,2', "a", {"a": "1"}),  # what comes behind is not looked at
        ('{"a":"1" "b":"2"}', "a, b", {"a": "1", "b": "2"}),
        ('{"a":01}', "a", {"a": "01"}),
        ('{"a":"\\q","b":["x\\u0041"]}', "a, b", {"a": "", "b": '["xA"]'}),
        ('{"s":[{"n":"0"},{"n":"1"}],"s":1,"x"', 'n="s[1].n", e="s[1].m", s="s[0]"', {"n": "1", "e": "", "s": '{"n":"0"}'}),
        ('"text"', "a", {"a": ""}),
        ('{"a"', "a", {"a": ""}),
        ("text", "a", {**KIND}),
        ("", "a", {}),
    ],
)  # fmt: skip
def test_paths_in_broken_lines(line: str, stage: str, labels: dict[str, str]) -> None:
    assert parsed(line, f"| json {stage}") == labels


@pytest.mark.parametrize(
    ("line", "shown", "labels"),
    [
        ('{"_entry":"the line","pod":"p-1","num":5,"app":"other"}', "the line", {"pod": "p-1", "app_extracted": "other"}),
        ('{"_entry":5,"pod":"p-1"}', None, {}),
        ('{"pod":"p-1"', None, failed(ARRAY)),
        ("text", None, failed("expecting json object(6), but it is not")),
        ("", None, {}),
    ],
)  # fmt: skip
def test_unpack(line: str, shown: str | None, labels: dict[str, str]) -> None:
    assert parsed(line, "| unpack") == labels
    wanted = line if shown is None else shown
    assert len(logql.streams(MemoryLogs([LogEntry({"app": "x"}, BASE, line)]),
                             logql.parse_log_query(f'{{app="x"}} | unpack |= `{wanted}`'), BASE, BASE + 1, limit=1)) == 1  # fmt: skip


LINES = [
    '{"level":"info","status":500,"n":{"c":1}}', '{"level":"info","level":"warn","status":404}', "e= a=1",
    '{"level":"error","status":200,"message":"cut off', '{"n":{"c":7},"n":{"d":8},"level":"info"}',
]  # fmt: skip


def vector(query: str) -> dict[Any, Any]:
    source = MemoryLogs([LogEntry({"app": "x"}, BASE + i + 1, line) for i, line in enumerate(LINES)])
    expr = logql.parse(query)
    assert not isinstance(expr, logql.ast.LogQuery)
    found = logql.metric_instant(source, expr, BASE + SECOND)
    assert isinstance(found, dict)
    return {
        tuple(value for name, value in labels if name not in ("app", LABEL)): value
        for labels, value in found.items()
    }


def test_metrics_take_the_first_of_a_name_too() -> None:
    query = 'sum by (level) (count_over_time({app="x"} |~ "^{" | json | __error__="" [1s]))'
    assert vector(query) == {("info",): 3}
    assert vector('sum by (n_c) (count_over_time({app="x"} |= "n" | json | __error__="" | n_c != "" [1s]))') == {
        ("1",): 1,
        ("7",): 1,
    }


def test_a_metric_reads_no_further_than_the_labels_it_asks_for() -> None:
    assert vector('sum by (level) (count_over_time({app="x"} |= "cut" | json [1s]))') == {("error",): 1}


def test_empty_labels_stay_in_metrics() -> None:
    assert vector('sum by (e) (count_over_time({app="x"} |= "e=" | logfmt --keep-empty [1s]))') == {("",): 1}
    assert vector('sum by (e) (count_over_time({app="x"} |= "e=" | logfmt [1s]))') == {(): 1}
    assert vector('count_over_time({app="x"} |= "e=" | logfmt --keep-empty [1s])') == {("1", ""): 1}
    assert vector('sum by (age) (count_over_time({app="x"} |= "500" | json age="missing.path" [1s]))') == {
        ("",): 1
    }


ADDRESSES = [
    "10.0.0.1 from 192.168.4.5:8080 and 2001:db8::68 [::1]:80", "192.168.4.300 9.9.9.9.9", "no address: 12", "::1",
    '{"ip":"192.168.4.5","a":"x"}', '{"ip":"::","a":"x"}', '{"ip":"10.9.9.9","b":',
]  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ('|= ip("192.168.4.5")', [0, 4]), ('|= ip("192.168.0.0/16")', [0, 4]), ('|= ip("192.168.4.6/16")', [0, 4]),
        ('|= ip("192.168.4.1-192.168.4.10")', [0, 4]), ('!= ip("192.168.4.5")', [1, 2, 3, 5, 6]),
        ('|= ip("2001:db8::/32")', [0]), ('|= ip("::1")', [0]), ('|= ip("9.9.9.9")', []),
        ('|= ip("9.9.9.9") or "12"', [2]), ('|= "12" or ip("10.0.0.1")', [0, 2]),
        ('!= ip("10.0.0.0/8") or ip("192.168.4.5")', [1, 2, 3, 5]),
        ('|= "{" | json | ip=ip("192.168.4.0/24")', [4]), ('|= "{" | json | ip!=ip("192.168.4.0/24")', [5, 6]),
        ('|= "{" | json | a=ip("10.0.0.1")', [6]),  # what failed before there was a label stays
        ('|= "{" | json | nope=ip("10.0.0.1")', [6]), ('|= "{" | json | ip=ip("192.168.4.5") and a="x"', [4]),
    ],
)  # fmt: skip
def test_addresses(stages: str, expected: list[int]) -> None:
    source = MemoryLogs([LogEntry({"app": "x"}, BASE + i, line) for i, line in enumerate(ADDRESSES)])
    found = logql.streams(source, logql.parse_log_query('{app="x"} ' + stages), BASE, BASE + SECOND, limit=10)
    assert sorted(line.t_ns - BASE for stream in found for line in stream.lines) == expected


def test_a_size_may_have_commas() -> None:
    source = MemoryLogs([LogEntry({"app": "x"}, BASE + 1, 'a=2,048 b=1,5KB c="1 MiB" d=3XB')])
    query = 'sum(sum_over_time({{app="x"}} | logfmt | unwrap bytes({}) [1s]))'
    for name, value in (("a", 2048.0), ("b", 15000.0), ("c", 1048576.0)):
        expr = logql.parse(query.format(name))
        assert logql.metric_instant(source, expr, BASE + SECOND) == {(): value}  # type: ignore[arg-type]
    with pytest.raises(QueryFailure, match="unhandled size name: xb"):
        logql.metric_instant(source, logql.parse(query.format("d")), BASE + SECOND)  # type: ignore[arg-type]


def test_a_line_between_two_windows_fails_no_metric() -> None:
    source = MemoryLogs([LogEntry({"app": "x"}, BASE + 30 * SECOND, "broken")])
    expr = logql.parse('count_over_time({app="x"} | json [10s])')
    found = logql.metric_range(source, expr, BASE, BASE + 120 * SECOND, 60 * SECOND)  # type: ignore[arg-type]
    assert found == {}
    with pytest.raises(QueryFailure, match="pipeline error"):
        logql.metric_range(source, expr, BASE, BASE + 120 * SECOND, 35 * SECOND)  # type: ignore[arg-type]
