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
    levels = (f"level-{level}" for level in ("debug", "info", "warning", "error", "unknown"))
    for token in ("text", "muted", "accent", "error", "ok", "warning", *levels):
        assert contrast(colour(page, token), ground) >= 4.5, token  # WCAG 2.2, 1.4.3 (AA)


# Text → what it stands on, layer over layer; what falls short of WCAG 2.2, 1.4.3 (AA: 4.5, or 3 for large text).
FAINT = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number), k = c.startsWith("color(") ? 255 : 1;
    return [m[0] * k, m[1] * k, m[2] * k, m[3] ?? 1]; };
  const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const over = (c, base) => base.map((v, i) => v * (1 - c[3]) + c[i] * c[3]);
  const ground = e => {
    const layers = [];
    for (let n = e; n && layers.at(-1)?.[3] !== 1; n = n.parentElement) {
      layers.push(parse(getComputedStyle(n).backgroundColor));
    }
    return layers.reduceRight((base, c) => over(c, base), [255, 255, 255]);
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join(" ").trim();
    if (!text || e.disabled || e.closest("svg, canvas, .skip, option")) continue;
    if (!e.checkVisibility({visibilityProperty: true})) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), below = ground(e);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const [a, b] = [luminance(over(parse(style.color), below)), luminance(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (isLarge ? 3 : 4.5)) found.push(`${text.slice(0, 30)} (${e.className || e.tagName})`);
  }
  return found;
}"""


@pytest.mark.parametrize("visit", THEMES, indirect=True, ids=["light", "dark"])
def test_all_text_can_be_read(visit: Visit) -> None:
    faint = {}
    for view in VIEWS:
        page = visit.open(f"{view}{'&' if '?' in view else '?'}{visit.stage.window}")
        page.wait_for_load_state("networkidle")
        faint[view] = page.evaluate(FAINT)
    assert faint == {view: [] for view in VIEWS}


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
