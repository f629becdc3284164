import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket.admission.bounds import Bounds
from pocket.route import process
from pocket.route.pipeline import timestamp
from pocket.rows import LogEntry

NOW = 1_800_000_000 * 10**9
BOUNDS = Bounds(NOW - 3600 * 10**9, NOW + 600 * 10**9)
GIVEN = {"container_name": "dice-workshop-dice-roller-1", "compose_service": "dice-roller"}


def shipped(line: str) -> LogEntry:
    return LogEntry(GIVEN, NOW, line, {})


def test_a_json_line() -> None:
    line = json.dumps(
        {"timestamp": "2027-01-15T08:00:00.123Z", "level": "info", "service": "roller", "trace_id": "ab",
         "span_id": "cd", "message": "rolled"}
    )  # fmt: skip
    entry, fields = process(shipped(line), BOUNDS)
    labels = {"service_name": "roller", "container_name": GIVEN["container_name"], "level": "info"}
    assert entry == LogEntry(labels, NOW + 123 * 10**6, line, {"trace_id": "ab", "span_id": "cd"})
    assert fields["message"] == "rolled"


@pytest.mark.parametrize(
    "line", ["Traceback (most recent call last):", "", "{not json", "[1]", "{}", '"x"', "{\\"]
)
def test_other_lines_are_kept(line: str) -> None:
    entry, fields = process(shipped(line), BOUNDS)
    assert entry.labels == {
        "service_name": "dice-roller", "container_name": GIVEN["container_name"], "level": "unknown"
    }  # fmt: skip
    assert (entry.t_ns, entry.line, entry.structured_metadata, fields) == (NOW, line, {}, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [("timestamp", v) for v in (5, None, "", "yesterday", "2027-01-15T08:00:00", "1970-01-01T00:00:00Z")]
    + [("timestamp", "9999-01-01T00:00:00Z")]
    + [("service", v) for v in (5, None, "", ["x"], "x" * 300)]
    + [("level", v) for v in (20, None, "", {"a": 1}, "x" * 300)]
    + [("trace_id", v) for v in (5, None, "", ["x"])],
)  # fmt: skip
def test_a_field_of_another_kind_is_as_if_it_were_not_there(field: str, value: Any) -> None:
    entry, _ = process(shipped(json.dumps({field: value})), BOUNDS)
    bare, _ = process(shipped("{}"), BOUNDS)
    assert (entry.labels, entry.t_ns, entry.structured_metadata) == (
        bare.labels,
        bare.t_ns,
        bare.structured_metadata,
    )


def test_timestamps() -> None:
    assert timestamp("2027-01-15T08:00:00Z") == NOW
    assert timestamp("2027-01-15T09:00:00.000001+01:00") == NOW + 1000
    assert timestamp("2027-01-15T08:00:00.123456789Z") == NOW + 123456000


FIELDS = st.sampled_from(["timestamp", "level", "service", "trace_id", "span_id", "usage"])
LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(FIELDS | st.text(), inner)))
def test_any_line_is_kept_as_it_is(value: Any) -> None:
    line = json.dumps(value)
    entry, _ = process(shipped(line), BOUNDS)
    assert entry.line == line
    assert BOUNDS.holds(entry.t_ns)
    assert set(entry.labels) == {"service_name", "container_name", "level"}
