"""What a reader is writing is the reader's: no refresh, no theme and no other setting takes it away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Visit

BOXES = [
    ("traces", "TraceQL query", "/uid/tempo/api/search"),
    ("logs", "LogQL query", "/uid/loki/loki/api/v1/query_range"),
    ("metrics", "PromQL query", "/uid/prometheus/api/v1/metadata"),
    ("metrics?q=up", "PromQL query", "/uid/prometheus/api/v1/query_range"),
]
HALF = "sum(rate({half"


def refreshed(page: Page, asked: str) -> None:
    """The refresh by itself, and one more, so that the answer of the first is drawn."""
    for _ in range(2):
        with page.expect_response(lambda response: asked in response.url):
            pass


@pytest.mark.parametrize(("view", "label", "asked"), BOXES)
def test_a_refresh_leaves_a_half_written_query_alone(visit: Visit, view: str, label: str, asked: str) -> None:
    page = visit.open(f"{view}{'&' if '?' in view else '?'}refresh=5s")
    page.wait_for_load_state("networkidle")
    box = page.get_by_label(label)
    ran = box.input_value()
    box.fill(HALF)
    expect(page.locator(".edited")).to_contain_text("edited, not run")
    refreshed(page, asked)
    expect(box).to_have_value(HALF)
    page.get_by_role("button", name=re.compile("theme$")).click()
    page.wait_for_load_state("networkidle")
    expect(box).to_have_value(HALF)
    box.press("Escape")
    expect(box).to_have_value(ran)
    expect(page.locator(".edited")).to_be_hidden()


def test_the_run_query_is_restored_by_a_button_and_what_was_written_is_not_lost(visit: Visit) -> None:
    page = visit.open("metrics?q=up&refresh=off")
    box = page.get_by_label("PromQL query")
    box.fill(HALF)
    page.get_by_role("button", name="Restore").click()
    expect(box).to_have_value("up")
    expect(box).to_be_focused()
    page.get_by_role("button", name="Earlier queries").click()
    expect(page.locator(".popover .option").first).to_have_text(HALF)


@pytest.mark.parametrize("key", ["Enter", "Control+Enter"])
def test_enter_runs_what_was_written(visit: Visit, key: str) -> None:
    page = visit.open("metrics?q=up&refresh=off")
    box = page.get_by_label("PromQL query")
    box.fill("up + 1")
    box.press(key)
    expect(page).to_have_url(re.compile(r"q=up(\+|%20)%2B"))
    expect(page.locator(".edited")).to_be_hidden()


def test_control_enter_runs_although_a_completion_is_offered(visit: Visit) -> None:
    page = visit.open(f"metrics?{visit.stage.window}")
    box = page.get_by_label("PromQL query")
    page.get_by_role("link", name="dice_rolls_total").wait_for()
    box.press_sequentially("dice_ro")
    page.locator(".suggestions [role=option]").first.wait_for()
    box.press("ArrowDown")
    box.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"q=dice_ro(&|$)"))


def test_a_filter_of_a_line_narrows_the_query_that_was_run(visit: Visit) -> None:
    page = visit.open(f'logs?q={{service_name="dice-roller"}}&{visit.stage.window}')
    page.locator(".log-line").first.click()
    box = page.get_by_label("LogQL query")
    box.fill(HALF)
    page.get_by_role("button", name="Only lines where level is this").first.click()
    expect(box).to_have_value('{service_name="dice-roller", level="info"}')


def test_a_half_written_time_range_stays_until_it_is_applied(visit: Visit) -> None:
    page = visit.open("traces?refresh=5s")
    page.get_by_title("Time range").click()
    page.get_by_label("From").fill("now-2")
    note = page.locator(".popover .edited")
    expect(note).to_contain_text("edited, not applied")
    refreshed(page, "/uid/tempo/api/search")
    page.get_by_label("From").press("Escape")
    page.get_by_title("Time range").click()
    expect(page.get_by_label("From")).to_have_value("now-2")
    page.get_by_label("From").fill("now-20m")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("from=now-20m"))
    page.get_by_title("Time range").click()
    expect(page.locator(".popover .edited")).to_be_hidden()


def test_a_list_of_choices_is_the_same_after_a_refresh(visit: Visit) -> None:
    page = visit.open("profiles?from=now-30m&refresh=5s")
    page.locator(".flame canvas").wait_for()
    page.get_by_label("Service", exact=True).evaluate("box => { box.options[0].dataset.mine = 'yes' }")
    page.get_by_label("Find a function").fill("half")
    refreshed(page, "SelectMergeStacktraces")
    assert page.get_by_label("Service", exact=True).evaluate("box => box.options[0].dataset.mine") == "yes"
    expect(page.get_by_label("Find a function")).to_have_value("half")
