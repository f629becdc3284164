"""A view's module that did not arrive is asked for again: by a button, at a refresh, once online."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import Visit

MODULES = ["views/logs.js", "parts/loglist.js"]  # the view's own, and one that it imports


def lose(visit: Visit, module: str, refresh: str = "off") -> Page:
    visit.open("check")
    page = visit.page
    page.route(f"**/js/{module}*", lambda route: route.abort())
    page.goto(f"{visit.base}/#/logs?refresh={refresh}")
    expect(page.get_by_role("alert")).to_contain_text("This view could not be loaded")
    expect(page.locator("#bar h1")).to_have_text("Logs")
    return page


@pytest.mark.parametrize("module", MODULES)
def test_a_view_that_did_not_load_is_tried_again_by_a_button(refused: Visit, module: str) -> None:
    page = lose(refused, module)
    page.unroute(f"**/js/{module}*")
    page.get_by_role("button", name="Try again").click()
    page.locator(".log-line").first.wait_for()


@pytest.mark.parametrize("module", MODULES)
def test_the_next_refresh_tries_it_again(refused: Visit, module: str) -> None:
    page = lose(refused, module, refresh="5s")
    page.unroute(f"**/js/{module}*")
    page.locator(".log-line").first.wait_for()


def test_it_is_tried_again_when_the_browser_is_online(refused: Visit) -> None:
    page = lose(refused, MODULES[0])
    page.context.set_offline(True)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("The browser is offline.")
    page.unroute(f"**/js/{MODULES[0]}*")
    page.context.set_offline(False)
    page.locator(".log-line").first.wait_for()


def test_a_view_that_is_away_does_not_stand_in_for_another(refused: Visit) -> None:
    page = lose(refused, MODULES[0])
    page.get_by_role("link", name="Metrics", exact=True).click()
    expect(page.locator("#bar h1")).to_have_text("Metrics")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_file_that_stays_broken_does_not_make_the_page_begin_anew_for_ever(refused: Visit) -> None:
    loads: list[str] = []
    refused.page.on("load", lambda page: loads.append(page.url))
    page = lose(refused, MODULES[1], refresh="5s")
    loads.clear()
    page.wait_for_timeout(25_000)  # five refreshes
    assert len(loads) <= 1
    expect(page.get_by_role("alert")).to_contain_text("This view could not be loaded")
