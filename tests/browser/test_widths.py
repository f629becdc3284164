"""No text of a query, a label, a log line or a span widens the page, in any view, at any width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from . import longtext
from .conftest import Stage, Visit

WIDTHS = [{"viewport": {"width": width, "height": 800}} for width in (360, 1024, 1440)]
LISTED = [
    {"uid": longtext.DASHBOARD, "title": longtext.WORD, "type": "dash-db"},
    {"uid": "dice-roller-stage1", "title": "Stage 1", "type": "dash-db"},
]


@pytest.fixture(scope="module", autouse=True)
def pushed(stage: Stage) -> None:
    longtext.push(lambda port, path: stage.url(port) + path)


# A panel asks once it is in sight.
SEE_ALL = """async () => {
  for (const panel of document.querySelectorAll(".panel")) {
    panel.scrollIntoView();
    await new Promise(done => setTimeout(done, 50));
  }
}"""


def with_long_answers(page: Page) -> None:
    def search(route: Route) -> None:
        route.fulfill(json=LISTED)

    page.route(re.compile(r"/api/search\?type="), search)
    page.route(
        f"**/api/dashboards/uid/{longtext.DASHBOARD}", lambda route: route.fulfill(json=longtext.dashboard())
    )
    page.route("**/api/workshop/checklist", lambda route: route.fulfill(json=longtext.CHECKLIST))


@pytest.mark.parametrize("visit", WIDTHS, indirect=True, ids=["360", "1024", "1440"])
def test_no_text_widens_the_page(refused: Visit) -> None:
    page = refused.page
    with_long_answers(page)
    wider = {}
    for name, view in longtext.VIEWS.items():
        page.goto("about:blank")
        refused.open(f"{view}{'&' if '?' in view else '?'}from=now-30m&refresh=off")
        page.wait_for_load_state("networkidle")
        page.evaluate(SEE_ALL)
        page.wait_for_load_state("networkidle")
        for line in page.locator(".log-line").all()[:1]:
            line.click()
        wider[name] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert {name: pixels for name, pixels in wider.items() if pixels > 0} == {}


@pytest.mark.parametrize("visit", WIDTHS[:2], indirect=True, ids=["360", "1024"])
def test_a_legend_that_has_no_room_ends_with_an_ellipsis_and_tells_the_rest(visit: Visit) -> None:
    page = visit.open(f"{longtext.VIEWS['metrics, long query']}&from=now-30m&refresh=off")
    entry = page.locator(".legend button")
    name = entry.locator(".clipped")
    expect(name).to_have_css("text-overflow", "ellipsis")
    assert name.evaluate("e => e.scrollWidth > e.clientWidth")
    assert longtext.WORD in (entry.get_attribute("title") or "")
    assert (entry.bounding_box() or {"width": 1e9})["width"] < page.evaluate("innerWidth")


@pytest.mark.parametrize("visit", WIDTHS, indirect=True, ids=["360", "1024", "1440"])
def test_a_fields_long_name_leaves_room_for_its_value(visit: Visit) -> None:
    page = visit.open(f"{longtext.VIEWS['logs']}&from=now-30m&refresh=off")
    page.locator(".log-line").filter(has_text="info").first.click()
    values = page.locator(".log-more .pairs td:nth-child(2)")
    values.first.wait_for()
    assert values.evaluate_all("all => Math.min(...all.map(e => e.clientWidth))") > 200


@pytest.mark.parametrize("visit", WIDTHS, indirect=True, ids=["360", "1024", "1440"])
def test_a_long_value_leaves_room_for_the_other_columns(visit: Visit) -> None:
    page = visit.open("metrics?q=long_gauge&from=now-30m&refresh=5s")
    cells = page.get_by_label("Values").locator("tbody tr").first.locator("td")
    cells.first.wait_for()
    assert cells.evaluate_all("all => Math.min(...all.map(e => e.clientWidth))") > 20
    assert cells.evaluate_all("all => Math.max(...all.map(e => e.clientHeight))") < 60
    assert longtext.WORD in cells.evaluate_all("all => all.map(e => e.title)")
