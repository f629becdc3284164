"""Signing in and out, and the log lines that usage-service lives on."""

import io
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY, generate_latest
from streamlit.testing.v1 import AppTest

from main import service
from telemetry.logs import JsonFormatter

Backend = Callable[[Callable[[httpx.Request], httpx.Response]], list[httpx.Request]]


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines as they are written, decoded."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(service))
    logging.root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.root.removeHandler(handler)


def events(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line.get("usage") is True]


def count(event: str) -> float:
    return REGISTRY.get_sample_value("usage_events_total", {"event": event}) or 0


def signed_in(page: AppTest, name: str) -> AppTest:
    page.run().text_input[0].set_value(name)
    return button(page, "Sign in").click().run()


def button(page: AppTest, label: str) -> Any:
    (found,) = [each for each in page.button if each.label == label]
    return found


Lines = Callable[[], list[dict[str, Any]]]


def test_signing_in_rolling_and_signing_out_are_three_events(
    page: AppTest, lucky: list[httpx.Request], logged: Lines
) -> None:
    before = {event: count(event) for event in ("sign_in", "roll", "sign_out")}
    signed_in(page, "Ada")
    assert page.text[0].value == "Signed in as Ada"
    button(page, "Roll").click().run()
    button(page, "Sign out").click().run()
    assert page.button[0].label == "Sign in"
    found = events(logged())
    assert [(line["event"], line["user"]) for line in found] == [
        ("sign_in", "Ada"), ("roll", "Ada"), ("sign_out", "Ada"),
    ]  # fmt: skip
    assert len({uuid.UUID(line["event_id"]) for line in found}) == 3
    assert {event: count(event) - before[event] for event in before} == {"sign_in": 1, "roll": 1, "sign_out": 1}
    assert not page.exception


def test_the_sign_in_is_where_a_phone_shows_it(page: AppTest) -> None:
    page.run()
    assert [each.label for each in page.main.text_input] == ["Name"]
    assert len(page.sidebar) == 0  # folded away below 768 pixels


def test_a_roll_event_says_what_and_in_which_trace(
    page: AppTest, backend: Backend, logged: Lines, spans: InMemorySpanExporter
) -> None:
    backend(lambda request: httpx.Response(500, json={"detail": "All rolls failed."}))
    signed_in(page, "Ada").number_input[0].set_value(7).run()
    button(page, "Roll all at once").click().run()
    roll = events(logged())[-1]
    assert (roll["die_type"], roll["times"], roll["status"]) == ("fair", 7, 500)
    click = spans.get_finished_spans()[-1]
    assert (click.name, roll["span_id"]) == ("roll button", f"{click.context.span_id:016x}")
    assert roll["trace_id"] == f"{click.context.trace_id:032x}"
    assert {"timestamp", "level", "service", "event_id"} <= set(roll)


def test_nobodys_roll_is_no_event(page: AppTest, lucky: list[httpx.Request], logged: Lines) -> None:
    button(page.run(), "Roll").click().run()
    assert page.success
    assert events(logged()) == []


@pytest.mark.parametrize("name", ["", "   ", "\u200b\x00\n"])
def test_an_empty_name_signs_nobody_in(page: AppTest, logged: Lines, name: str) -> None:
    signed_in(page, name)
    assert page.warning[0].value == "Enter a name to sign in."
    assert page.button[0].label == "Sign in"
    assert events(logged()) == []


def test_a_name_cannot_forge_a_line_or_an_event(page: AppTest, logged: Lines) -> None:
    evil = 'x"\n{"usage": true, "event": "roll"}'
    signed_in(page, evil)
    (event,) = events(logged())
    assert event["user"] == 'x"{"usage": true, "event": "roll"}'
    assert event["event"] == "sign_in"


def test_a_long_name_is_cut(page: AppTest, logged: Lines) -> None:
    signed_in(page, "x" * 100)
    assert events(logged())[0]["user"] == "x" * 40


def test_a_name_is_shown_as_it_is(page: AppTest) -> None:
    signed_in(page, "**bold** [link](http://evil)")
    assert page.text[0].value == "Signed in as **bold** [link](http://evil)"


def test_names_are_in_usage_events_and_nowhere_else(
    page: AppTest, lucky: list[httpx.Request], logged: Lines, spans: InMemorySpanExporter
) -> None:
    signed_in(page, "Rumpelstilzchen")
    button(page, "Roll").click().run()
    button(page, "Sign out").click().run()
    others = [line for line in logged() if line.get("usage") is not True]
    assert others
    assert "Rumpelstilzchen" not in json.dumps(others)
    assert "Rumpelstilzchen" not in "".join(span.to_json() for span in spans.get_finished_spans())
    assert b"Rumpelstilzchen" not in generate_latest()
    assert "Rumpelstilzchen" not in "".join(str(request.url) + str(request.headers) for request in lucky)


def test_two_people_are_two_sessions(page: AppTest, lucky: list[httpx.Request], logged: Lines) -> None:
    other = AppTest.from_file(page._script_path, default_timeout=20)
    signed_in(page, "Ada")
    signed_in(other, "Bob")
    button(page, "Roll").click().run()
    button(other, "Roll").click().run()
    assert [line["user"] for line in events(logged()) if line["event"] == "roll"] == ["Ada", "Bob"]
