"""Light and dark, wide and narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import POISON_TRACE, Visit
from .test_dashboard import colour

VIEWS = [
    "d/dice-roller-stage1",
    "traces",
    f"trace/{POISON_TRACE}",
    "service-map",
    "logs",
    "metrics?q=up",
    "profiles",
    "check",
]
THEMES = [{"color_scheme": "light"}, {"color_scheme": "dark"}]
TABLET = {"color_scheme": "light", "viewport": {"width": 800, "height": 900}}
PHONE = {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}
BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"


def brightness(colour: str) -> float:
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


@pytest.mark.parametrize("visit", THEMES, indirect=True, ids=["light", "dark"])
def test_text_stands_out_from_its_ground(visit: Visit) -> None:
    page = visit.open("traces")
    ground = page.evaluate(BACKGROUND)
    for token in ("text", "muted", "accent", "error", "ok", "warning"):
        assert contrast(colour(page, token), ground) >= 4.5, token  # WCAG 2.2, 1.4.3 (AA)


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_theme_is_toggled_and_remembered(visit: Visit) -> None:
    page = visit.open(f"d/dice-roller-stage1?{visit.stage.window}")
    before = brightness(page.evaluate(BACKGROUND))
    page.locator(".plot .ytick text").first.wait_for()
    ink = page.locator(".plot .ytick text").first.evaluate("t => getComputedStyle(t).fill")
    page.get_by_role("button", name="Dark theme").click()
    assert brightness(page.evaluate(BACKGROUND)) < before - 100
    expect(page.locator(".plot .ytick text").first).not_to_have_css("fill", ink)
    page.reload()
    assert brightness(page.evaluate(BACKGROUND)) < before - 100
    expect(page.get_by_role("button", name="Light theme")).to_be_visible()


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["390"])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_sticks_out_of_a_phone(visit: Visit, view: str) -> None:
    page = visit.open(view)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_role("navigation").get_by_role("link").count() == 7


@pytest.mark.parametrize("visit", [TABLET], indirect=True, ids=["800"])
@pytest.mark.parametrize("view", [*VIEWS, "logs?from=1763690000000&to=1763790100000"])
def test_nothing_sticks_out_or_is_cut_at_800_pixels(visit: Visit, view: str) -> None:
    page = visit.open(view)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
    assert page.locator("#bar h1, .panel > header h2, #bar .button").evaluate_all(cut) == []
    outside = (
        "all => all.filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML.slice(0, 80))"
    )
    assert page.locator("#bar *, .query *").evaluate_all(outside) == []


def test_the_keyboard_reaches_everything_first(visit: Visit) -> None:
    page = visit.open("traces")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Dashboard")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/d/"))
