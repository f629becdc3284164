"""Telemetry is text. Whatever a span, a label or a log line says, nothing of it becomes markup or script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import POISON, POISON_TRACE, Visit

VIEWS = [
    f"trace/{POISON_TRACE}",
    "traces?q={status = error}&from=now-30m",
    'logs?q={service_name="poison"}&from=now-30m',
    "service-map?from=now-30m",
    "metrics?q=traces_spanmetrics_calls_total&from=now-30m",
    "d/dice-roller-stage1?from=now-30m",
    "profiles?service=" + POISON,
    "metrics?q=" + POISON.replace("&", ""),
    "trace/%3Cimg src=x onerror=window.pwned=1%3E",
]


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_turns_telemetry_into_markup(refused: Visit, view: str) -> None:
    page = refused.open(view)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.pwned") is None
    assert page.locator("#view img, #view script, #view iframe").count() == 0


def test_a_poisoned_trace_reads_as_it_was_sent(visit: Visit) -> None:
    page = visit.open(f"trace/{POISON_TRACE}")
    expect(page.locator(".details h1")).to_have_text(POISON)
    expect(page.locator(".callout").first).to_contain_text(POISON)
    expect(page.locator(".pairs").first).to_contain_text(POISON)
    expect(page.locator(".span-row .text")).to_contain_text(POISON)


def test_a_poisoned_log_line_reads_as_it_was_sent(visit: Visit) -> None:
    page = visit.open('logs?q={service_name="poison"} |= "onerror"&from=now-30m')
    page.locator(".log-line").first.click()
    expect(page.locator(".log-line").first).to_contain_text(POISON)
    expect(page.locator(".log-more .pairs")).to_contain_text(POISON)


def test_a_poisoned_name_is_text_in_charts_too(visit: Visit) -> None:
    page = visit.open(
        'metrics?q=sum by (service) (traces_spanmetrics_calls_total{service=~".*img.*"})&from=now-30m&refresh=off'
    )
    expect(page.locator(".legend button").first).to_contain_text("<img src=x")
    page.locator(".plot .nsewdrag").hover()
    assert page.evaluate("window.pwned") is None


def test_the_page_may_not_be_framed_and_runs_no_inline_script(visit: Visit) -> None:
    page = visit.open("traces")
    page.evaluate("""() => { const script = document.createElement("script");
      script.textContent = "window.pwned = 1"; document.head.append(script); }""")
    assert page.evaluate("window.pwned") is None
    assert any("Content Security Policy" in text for text in visit.complaints)
    visit.complaints.clear()
