"""The stage's dashboard, and panels that stage 1's does not have."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from .conftest import Visit

UID = "dice-roller-stage1"
SETTLED = "ready", "empty", "error", "unavailable"


def settle(page: Page) -> list[tuple[str, str, str]]:
    """Brings every panel into sight, waits for its answer; → (type, title, state)."""
    page.locator(".panel").first.wait_for()
    found = []
    for one in page.locator(".panel").all():
        one.scroll_into_view_if_needed()
        expect(one).not_to_have_attribute("data-state", "loading")
        kind, title, state = (one.get_attribute(name) or "" for name in ("data-type", "aria-label", "data-state"))
        found.append((kind, title, state))
    return found


def panel(page: Page, title: str) -> Locator:
    return page.locator(f'.panel[aria-label="{title}"]')


def test_every_panel_of_the_stage_draws_and_none_is_in_error(visit: Visit) -> None:
    page = visit.open(f"d/{UID}?{visit.stage.window}")
    panels = settle(page)
    assert len(panels) > 10
    assert [one for one in panels if one[2] != "ready"] == []
    expect(page.locator("#bar h1")).to_have_text("Dice Roller – Stage 1")


def test_panels_show_what_was_measured(visit: Visit) -> None:
    page = visit.open(f"d/{UID}?{visit.stage.window}")
    settle(page)
    rate = panel(page, "Request rate").locator(".value")
    expect(rate).to_have_text(re.compile(r"^[1-9][\d.]*req/s$"))
    assert page.locator("[data-type=timeseries] .scatterlayer path.js-line").count() > 5
    expect(page.locator("[data-type=heatmap] .heatmaplayer image")).to_have_count(1)
    expect(page.locator("[data-type=nodeGraph] text.title").filter(has_text="dice-roller")).to_be_visible()
    assert page.locator("[data-type=logs] .log-line").count() > 10
    assert page.locator("[data-type=table] tbody tr").count() > 5
    assert inked(page, "[data-type=flamegraph] canvas")


def inked(page: Page, canvas: str) -> bool:
    """Whether a canvas has more than one colour on it."""
    script = """canvas => { const {width, height} = canvas;
      const data = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
      return new Set(data).size > 2; }"""
    return bool(page.locator(canvas).evaluate(script))


def test_a_row_folds_and_unfolds(visit: Visit) -> None:
    page = visit.open(f"d/{UID}")
    head = page.get_by_role("button", name="Rolls", exact=True)
    rolls = panel(page, "Rolls by die and result")
    head.click()
    expect(head).to_have_attribute("aria-expanded", "false")
    expect(rolls).to_be_hidden()
    head.click()
    expect(rolls).to_be_visible()


def test_a_legend_entry_shows_its_series_alone(visit: Visit) -> None:
    page = visit.open(f"d/{UID}?{visit.stage.window}")
    entries = panel(page, "Rolls by die and result").locator(".legend button")
    entries.nth(1).wait_for()
    entries.nth(0).click()
    expect(entries.nth(0)).to_have_attribute("aria-pressed", "true")
    expect(entries.nth(1)).to_have_attribute("aria-pressed", "false")
    entries.nth(0).click()
    expect(entries.nth(1)).to_have_attribute("aria-pressed", "true")


def test_refresh_changes_no_panels_place_or_size(visit: Visit) -> None:
    page = visit.open(f"d/{UID}?refresh=off")
    settle(page)
    page.evaluate("scrollTo(0, 0)")

    def boxes() -> list[FloatRect | None]:
        return [one.bounding_box() for one in page.locator(".panel").all()]

    before = boxes()
    with page.expect_response(lambda response: "query_range" in response.url):
        page.get_by_role("button", name="Refresh now").click()
    assert boxes() == before


def _dashboard(*panels: dict[str, Any]) -> dict[str, Any]:
    placed = [
        {"gridPos": {"x": 0, "y": 8 * n, "w": 12, "h": 8}, "title": f"P{n}", **one} for n, one in enumerate(panels)
    ]
    return {"uid": "made", "title": "Made", "panels": placed}


def show(visit: Visit, *panels: dict[str, Any]) -> Page:
    """A dashboard of the test's own, over the data of the running stage."""

    def answer(route: Route) -> None:
        route.fulfill(json={"dashboard": _dashboard(*panels), "meta": {}})

    visit.page.route("**/api/dashboards/uid/made", answer)
    page = visit.open(f"d/made?{visit.stage.window}")
    settle(page)
    return page


def _prometheus(expr: str, **more: Any) -> dict[str, Any]:
    return {"datasource": {"uid": "prometheus"}, "targets": [{"expr": expr, "refId": "A", **more}]}


def _fields(*overrides: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    return {"fieldConfig": {"defaults": defaults, "overrides": list(overrides)}}


def test_units_thresholds_mappings_and_overrides(visit: Visit) -> None:
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 1}]
    mapping = {"type": "value", "options": {"1": {"text": "UP"}}}
    renamed = {
        "matcher": {"id": "byName", "options": "three"},
        "properties": [{"id": "displayName", "value": "Renamed"}],
    }
    page = show(
        visit,
        {"type": "stat", **_prometheus("vector(0.0123)"), **_fields(unit="s", decimals=2)},
        {"type": "stat", **_prometheus("vector(2)"), **_fields(thresholds={"steps": steps})},
        {"type": "stat", **_prometheus("vector(1)"), **_fields(mappings=[mapping])},
        {"type": "timeseries", **_prometheus("vector(3)", legendFormat="three"), **_fields(renamed)},
    )
    expect(panel(page, "P0").locator(".value")).to_have_text("12.30ms")
    expect(panel(page, "P1").locator(".value")).to_have_css("color", colour(page, "error"))
    expect(panel(page, "P2").locator(".value")).to_have_text("UP")
    expect(panel(page, "P3").locator(".legend button")).to_have_text("Renamed")


def colour(page: Page, token: str) -> str:
    """A custom property of the sheet, resolved in the present theme."""
    script = """token => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = `var(--${token})`;
      const resolved = getComputedStyle(probe).color;
      probe.remove();
      return resolved;
    }"""
    return str(page.evaluate(script, token))


def test_tables_join_targets_and_bars_name_their_values(visit: Visit) -> None:
    targets = [
        {"expr": 'sum by (job) (up{job="dice-roller"})', "refId": "A", "instant": True, "format": "table"},
        {"expr": 'count by (job) (up{job="dice-roller"})', "refId": "B", "instant": True, "format": "table"},
    ]
    page = show(
        visit,
        {"type": "table", "targets": targets},
        {"type": "barchart", **_prometheus("sum by (job) (up)", instant=True, legendFormat="{{job}}")},
    )
    table = panel(page, "P0").locator("table")
    expect(table.locator("th")).to_have_text(["job", "Value #A", "Value #B"])
    expect(table.locator("tbody tr")).to_have_text(["dice-roller11"])
    expect(panel(page, "P1").locator(".label").filter(has_text="dice-roller")).to_be_visible()


def test_a_panel_that_cannot_be_drawn_says_why(refused: Visit) -> None:
    page = show(
        refused,
        {"type": "timeseries", **_prometheus("sum(")},
        {
            "type": "timeseries",
            "datasource": {"uid": "postgres"},
            "targets": [{"rawSql": "select 1", "refId": "A"}],
        },
        {"type": "timeseries", **_prometheus("no_such_metric")},
        {"type": "news", **_prometheus("up")},
        {"type": "text", "options": {"content": "# Hello\n**bold** [x](javascript:alert(1)) `code`"}},
    )
    assert [state for _, _, state in settle(page)] == ["error", "unavailable", "empty", "error", "ready"]
    expect(panel(page, "P0").get_by_role("alert")).to_contain_text("parse error")
    expect(panel(page, "P1")).to_contain_text("Not available here")
    expect(panel(page, "P2")).to_contain_text("make traffic STAGE=1")
    expect(panel(page, "P4").locator("a")).to_have_count(0)


def test_the_databases_own_words_are_shown(refused: Visit) -> None:
    body = {"results": {"A": {"error": 'relation "dice" does not exist', "status": 400}}}
    refused.page.route("**/api/ds/query", lambda route: route.fulfill(json=body))
    page = show(
        refused, {"type": "table", "datasource": {"uid": "postgres"}, "targets": [{"rawSql": "x", "refId": "A"}]}
    )
    expect(page.get_by_role("alert")).to_contain_text('relation "dice" does not exist')
