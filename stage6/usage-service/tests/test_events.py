import json
import uuid
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lines import line, record

from events import NoEventError, usage_event


def test_a_line_becomes_a_row() -> None:
    event = usage_event(record(written := line(event="sign_in", user="Zoë 'x'")))
    assert event.event_id == uuid.UUID(written["event_id"])
    assert event.occurred_at == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    assert (event.event, event.label, event.username) == ("sign_in", "sign_in", "Zoë 'x'")
    assert orjson.loads(event.attributes) == {
        "service": "streamlit-frontend", "trace_id": "0af7651916cd43dd8448eb211c80319c", "die_type": "fair",
    }  # fmt: skip


def test_an_unknown_event_is_stored_and_counts_as_unknown() -> None:
    event = usage_event(record(line(event="cheat\n")))
    assert (event.event, event.label) == ("cheat\n", "unknown")


EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]  # no such moment in UTC


@pytest.mark.parametrize("timestamp", [None, "yesterday", "2026-01-02T03:04:05", {"at": 1}, *EDGES])
def test_without_a_time_of_its_own_it_has_the_records(timestamp: object) -> None:
    at = datetime(2026, 5, 6, tzinfo=UTC)
    nanoseconds = int(at.timestamp() * 1e9)
    assert usage_event(record(line(timestamp=timestamp), time_unix_nano=nanoseconds)).occurred_at == at
    assert usage_event(record(line(timestamp=timestamp), observed_time_unix_nano=nanoseconds)).occurred_at == at
    late = usage_event(record(line(timestamp=timestamp))).occurred_at
    assert abs(datetime.now(UTC) - late) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"usage": None}, "not a usage event: usage"),
        ({"usage": False}, "not a usage event: usage"),
        ({"event_id": "42"}, "not a usage event: event_id"),
        ({"event_id": None, "user": None}, "not a usage event: event_id, user"),
        ({"event": ""}, "not a usage event: event"),
        ({"event": "x" * 65}, "not a usage event: event"),
        ({"user": ["Ada"]}, "not a usage event: user"),
        ({"user": "x" * 201}, "not a usage event: user"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_not_repeated(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(NoEventError) as caught:
        usage_event(record(line(**fields)))
    assert str(caught.value) == reason


@pytest.mark.parametrize("body", ["", "Traceback", "[1]", '"x"', "{", '{"user": "\\ud800"}', "[" * 5000])
def test_what_is_no_json_line(body: str) -> None:
    with pytest.raises(NoEventError):
        usage_event(record(body))


def test_fields_nested_beyond_reason() -> None:
    text = orjson.dumps(line()).decode()[:-1] + ',"deep":' + "[" * 900 + "]" * 900 + "}"
    with pytest.raises(NoEventError, match="nested too deeply"):
        usage_event(record(text))


def test_nul_does_not_lose_the_event() -> None:
    event = usage_event(record(line(user="A\x00\x00da", die_type="\\u0000 \\\x00")))
    assert event.username == "A\ufffd\ufffdda"
    assert orjson.loads(event.attributes)["die_type"] == "\\u0000 \\\ufffd"


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_any_text_is_an_event_or_none(body: str, fields: dict[str, object]) -> None:
    for text in (body, json.dumps(line() | fields)):
        try:
            event = usage_event(record(text))
        except NoEventError:
            continue
        assert "\x00" not in event.username + event.attributes
