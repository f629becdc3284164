"""Narrow windows: what a reader asked for is in sight and in reach, on a tablet and on a phone."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import POISON_TRACE, Visit, eventually, push_line
from .test_dashboard import UID
from .test_looks import VIEWS

PHONE = {"color_scheme": "light", "viewport": {"width": 360, "height": 740}, "has_touch": True}
NARROW = [PHONE, {"color_scheme": "light", "viewport": {"width": 1024, "height": 768}}]
IDS = ["360", "1024"]
narrow = pytest.mark.parametrize("visit", NARROW, indirect=True, ids=IDS)
phone = pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["360"])


def in_sight(one: Locator) -> bool:
    """Whether its middle is in the window and nothing lies on it."""
    script = """e => { const {left, top, width, height} = e.getBoundingClientRect();
      const hit = document.elementFromPoint(left + width / 2, top + height / 2);
      return hit !== null && (e.contains(hit) || hit.contains(e)); }"""
    return bool(one.evaluate(script))


def rolled(visit: Visit) -> Page:
    """A trace of several spans."""
    page = visit.open(f'traces?q={{name = "roll die"}}&{visit.stage.window}')
    page.locator(".traces tbody a").first.click()
    page.locator(".span-row").nth(1).wait_for()
    return page


@narrow
def test_a_chosen_spans_details_are_in_sight_and_can_be_closed(visit: Visit) -> None:
    page = rolled(visit)
    handle = page.locator(".details .handle")
    row, name = page.locator(".span-row").nth(1), page.locator(".details h1")
    row.click()
    expect(name).to_be_visible()
    assert in_sight(name)
    assert in_sight(row)
    assert in_sight(handle)
    handle.click()
    expect(name).to_be_hidden()
    expect(handle).to_have_attribute("aria-expanded", "false")
    assert in_sight(handle)  # one line stays, to open it again
    handle.click()
    expect(name).to_be_visible()


@narrow
def test_the_keyboard_opens_walks_and_closes_the_details(visit: Visit) -> None:
    page = rolled(visit)
    name = page.locator(".details h1")
    page.locator('.span-row[tabindex="0"]').focus()
    page.keyboard.press("Enter")
    expect(name).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    chosen = page.locator('.span-row[aria-selected="true"]')
    expect(chosen).to_be_focused()
    assert in_sight(chosen)
    page.keyboard.press("Tab")
    expect(page.locator(".details .handle")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(name).to_be_hidden()
    expect(page.locator(".details .handle")).to_be_focused()


@narrow
def test_a_link_to_a_span_opens_its_details(visit: Visit) -> None:
    page = visit.open(f"trace/{POISON_TRACE}?span=badc0ffee0ddf00d")
    page.locator(".details h1").wait_for()
    assert in_sight(page.locator(".details h1"))
    page = visit.open("check")
    page = visit.open(f"trace/{POISON_TRACE}")  # nobody asked for a span: the waterfall first
    page.locator(".span-row").first.wait_for()
    expect(page.locator(".details h1")).to_be_hidden()


def test_beside_the_waterfall_there_is_nothing_to_close(visit: Visit) -> None:
    page = visit.open(f"trace/{POISON_TRACE}")
    expect(page.locator(".details h1")).to_be_visible()
    expect(page.locator(".details .handle")).to_be_hidden()


@phone
def test_an_opened_line_can_be_read_on_a_phone(visit: Visit) -> None:
    push_line(visit.stage, "a line for the phone", {"trace_id": POISON_TRACE})
    page = visit.open('logs?q={service_name="poison"} |= "for the phone"&from=now-30m&refresh=off')
    page.locator(".log-line").first.click()
    values = page.locator(".log-more .pairs td:nth-child(2)")
    values.first.wait_for()
    boxes: list[dict[str, Any]] = values.evaluate_all("all => all.map(e => e.getBoundingClientRect().toJSON())")
    assert min(box["width"] for box in boxes) > 250
    assert max(box["height"] for box in boxes) < 60  # a trace id of 32 letters in one line or two
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Only lines where level is this")).to_be_visible()


@phone
def test_a_traces_duration_is_beside_its_name_on_a_phone(visit: Visit) -> None:
    page = visit.open(f"traces?{visit.stage.window}")
    cells = page.locator(".traces tbody td.number")
    cells.first.wait_for()
    assert max(cells.evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")) <= 360


@phone
def test_every_row_of_a_dashboard_is_one_choice_away(visit: Visit) -> None:
    page = visit.open(f"d/{UID}?{visit.stage.window}")
    page.locator(".row").nth(3).wait_for()
    jump = page.get_by_label("Go to row")
    page.mouse.wheel(0, 5000)
    page.wait_for_function("scrollY > 1000")
    assert in_sight(jump)
    last = jump.locator("option").last.inner_text()
    jump.select_option(last)
    head = page.get_by_role("button", name=last, exact=True)
    eventually(lambda: in_sight(head), seconds=10)  # it scrolls there smoothly
    cut = page.locator("#bar h1").evaluate("e => e.scrollWidth > e.clientWidth")
    assert not cut
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("visit", [*NARROW, {**PHONE, "viewport": {"width": 320, "height": 640}}],
                         indirect=True, ids=[*IDS, "320"])  # fmt: skip
def test_tabs_have_their_names(visit: Visit) -> None:
    page = visit.open("check")
    tabs = page.get_by_role("navigation", name="Views").locator(".tab")
    assert tabs.count() == len({re.split("[/?]", view)[0] for view in VIEWS if not view.startswith("trace/")})
    boxes: list[dict[str, float]] = tabs.locator("span").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().toJSON())"
    )
    width = page.evaluate("innerWidth")
    assert all(box["width"] > 15 and box["height"] > 8 and 0 <= box["x"] <= box["right"] <= width for box in boxes)
    sides = sorted((box["x"], box["right"]) for box in boxes if width < 700)
    assert all(right <= left for (_, right), (left, _) in itertools.pairwise(sides))
