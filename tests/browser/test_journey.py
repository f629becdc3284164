"""Moving about: back to where one was, by keyboard, from an error to its place, from a trace to what it used."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Visit
from .test_dashboard import panel, settle
from .test_links import open_exemplar
from .test_modules import ask


def scrolled(page: Page) -> int:
    return int(page.evaluate("scrollY"))


def test_back_leads_to_the_place_one_came_from(visit: Visit) -> None:
    page = visit.open(f"d/dice-roller-stage1?{visit.stage.window}")
    settle(page)
    panel(page, "Recent rolls").scroll_into_view_if_needed()
    before = scrolled(page)
    assert before > 500
    panel(page, "Recent rolls").locator("tbody a").first.click()
    page.locator(".span-row").first.wait_for()
    assert scrolled(page) == 0
    page.go_back()
    expect(panel(page, "Recent rolls")).to_be_in_viewport()
    page.wait_for_function("y => Math.abs(scrollY - y) < 5", arg=before)


def test_back_from_home_is_not_a_trap(visit: Visit) -> None:
    page = visit.open("logs")
    page.goto(f"{visit.base}/#/")
    expect(page).to_have_url(re.compile("#/d/"))
    page.go_back()
    expect(page).to_have_url(re.compile("#/logs"))


def test_the_keyboard_goes_on_in_the_new_view(visit: Visit) -> None:
    page = visit.open("traces")
    page.get_by_role("link", name="Metrics", exact=True).press("Enter")
    expect(page.locator("#bar h1")).to_have_text("Metrics")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("PromQL query")).to_be_focused()


def test_the_skip_link_skips_and_keeps_the_view(visit: Visit) -> None:
    page = visit.open("logs")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page).to_have_url(re.compile("#/logs"))


@pytest.mark.parametrize(
    ("view", "marked"),
    [("traces?q={name = = 3}", "="), ('logs?q={a="b"} | | json', "|")],
)
def test_a_refusal_points_at_the_place(refused: Visit, view: str, marked: str) -> None:
    page = refused.open(view)
    expect(page.get_by_role("alert").locator("mark")).to_have_text(marked)


def test_prometheus_way_to_name_a_place_is_read_too(refused: Visit) -> None:
    body = {
        "status": "error",
        "error": 'invalid parameter "query": 1:13: parse error: unexpected right parenthesis',
    }
    refused.page.route("**/query_range?*", lambda route: route.fulfill(status=400, json=body))
    page = refused.open("metrics?q=rate(up[1m]))")
    expect(page.get_by_role("alert").locator("mark")).to_have_text(")")


def test_a_backend_that_is_away_has_refused_nothing(refused: Visit) -> None:
    refused.page.route("**/uid/tempo/**", lambda route: route.fulfill(status=502, json={"message": "no answer"}))
    page = refused.open("traces")
    expect(page.get_by_role("alert")).to_contain_text("Tempo could not answer")


def test_a_range_of_the_past_says_so_and_leads_back(visit: Visit) -> None:
    page = visit.open("logs?from=1763690000000&to=1763690100000")
    expect(page.get_by_title("Time range")).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d [\d:]{8} – [\d:]{8}$"))
    page.get_by_role("button", name="Now", exact=True).click()
    expect(page.get_by_title("Time range")).to_have_text("Last 5 minutes")
    expect(page.get_by_role("button", name="Now", exact=True)).to_be_hidden()


def test_a_trace_has_no_time_range_to_choose(visit: Visit) -> None:
    page = open_exemplar(visit)
    expect(page.get_by_title("Time range")).to_be_hidden()
    expect(page.get_by_role("button", name="Refresh now")).to_be_visible()


def test_a_traces_profile_is_of_the_service_that_took_the_time(visit: Visit) -> None:
    page = open_exemplar(visit)
    page.get_by_role("link", name="Profile of dice-roller").click()  # not of traffic-gen, whose trace it is
    page.locator(".flame canvas").wait_for()


def test_a_callers_way_there_and_back_is_nobodys_profile(visit: Visit) -> None:
    call = {"id": "1", "parent": "", "service": "traffic-gen", "kind": "client", "start": 0, "duration": 10}
    served = {"id": "2", "parent": "1", "service": "dice-roller", "kind": "server", "start": 4, "duration": 2}
    assert ask(visit, "views/trace.js", "m.busiest(a).service", {"spans": [call, served]}) == "dice-roller"
    assert ask(visit, "views/trace.js", "m.busiest(a).service", {"spans": [call]}) == "traffic-gen"


def test_searching_a_flame_graph_says_how_much_it_is(visit: Visit) -> None:
    page = visit.open(f"profiles?service=dice-roller&{visit.stage.window}")
    page.locator(".flame canvas").wait_for()
    page.get_by_label("Find a function").fill("run")
    expect(page.get_by_text(re.compile(r"^\d+ frames?, [\d.]+ % of the time$"))).to_be_visible()
    page.get_by_label("Find a function").fill("no such thing at all")
    expect(page.get_by_text("no such function")).to_be_visible()


def test_a_match_within_a_match_counts_once(visit: Visit) -> None:
    frames = [
        [{"x": 0, "total": 10, "self": 0, "name": "total", "depth": 0}],
        [{"x": 0, "total": 6, "self": 0, "name": "run", "depth": 1}],
        [{"x": 1, "total": 5, "self": 5, "name": "rerun", "depth": 2}],
    ]
    expression = "(() => { const f = m.flameGraph(); f.draw({total: 10, levels: a}); return f.search('run'); })()"
    assert ask(visit, "charts/flame.js", expression, frames) == {"frames": 2, "total": 6}


def test_a_lone_bar_is_as_wide_as_its_step(visit: Visit) -> None:
    page = open_exemplar(visit)
    page.get_by_role("link", name="Logs of this trace").click()
    bar = page.get_by_label("Log volume").locator(".barlayer path").first
    bar.wait_for(state="attached")
    assert (bar.bounding_box() or {"width": 0})["width"] > 5


def test_a_long_dashboard_has_a_way_to_each_row(visit: Visit) -> None:
    page = visit.open(f"d/dice-roller-stage1?{visit.stage.window}")
    page.get_by_label("Go to row").select_option("Logs")
    expect(page.get_by_role("button", name="Logs", exact=True)).to_be_in_viewport()
    page.wait_for_function("scrollY > 500")


def test_a_query_by_service_or_outcome_has_the_dashboards_colours(visit: Visit) -> None:
    series = [{"labels": {"job": "dice-roller"}}, {"labels": {"job": "die-service"}}]
    found = ask(visit, "charts/seriescolours.js", "m.coloured(a).map(s => s.colour)", series)
    assert found == ["rgb(76, 125, 232)", "rgb(200, 112, 42)"]
    statuses = [{"labels": {"job": "x", "status": status}} for status in ("200", "500")]
    good, bad = ask(visit, "charts/seriescolours.js", "m.coloured(a).map(s => s.colour)", statuses)
    assert (good, bad) == tuple(ask(visit, "core/theme.js", "['ok', 'error'].map(m.colour)"))
    both = [{"labels": {"job": "a", "status": "200"}}, {"labels": {"job": "b", "status": "500"}}]
    assert ask(visit, "charts/seriescolours.js", "m.coloured(a).map(s => s.colour)", both) == [None, None]
