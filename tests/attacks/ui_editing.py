"""The pocket UI under a reader's hands: half written queries, texts wider than a page, modules that stay away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout, Pocket
from tests.browser import longtext
from tests.browser.conftest import FLAGS, chromium_path
from tests.browser.test_widths import SEE_ALL, with_long_answers

WIDTHS = (360, 1024, 1440)
PATIENCE_MS = 120_000  # a machine with its hands full is no verdict
SETTLED_MS = 3000
HALF = "sum(rate({half"


@contextlib.contextmanager
def page_at(pocket: Pocket, width: int = 1024) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 800}, base_url=pocket.url(3000))
        page.set_default_timeout(PATIENCE_MS)
        with_long_answers(page)
        yield page
        browser.close()


def open_view(page: Page, view: str) -> None:
    page.goto("about:blank")  # the next is a page of its own, not another view of the last
    page.goto(f"/#/{view}")
    page.locator("#bar h1:not(:empty)").wait_for()
    page.wait_for_load_state("networkidle")


@attack("UI: a half written query while the page refreshes itself")
def half_written(checkout: Checkout) -> Outcome:
    views = {"traces": "/api/search?q", "logs": "query_range", "metrics": "/metadata"}
    wiped = 0
    with checkout.pocket() as pocket, page_at(pocket) as page:
        for view, asked in views.items():
            open_view(page, f"{view}?refresh=5s")
            page.locator(".query textarea").fill(HALF)
            for _ in range(2):
                page.wait_for_event("response", lambda response, asked=asked: asked in response.url)
            page.wait_for_timeout(SETTLED_MS)
            wiped += page.locator(".query textarea").input_value() != HALF
    return Outcome(held=not wiped, figures={"views": len(views), "wiped": wiped})


@attack("UI: texts of 270 characters in every view, at 360, 1024 and 1440 px")
def long_texts(checkout: Checkout) -> Outcome:
    wider: list[int] = []
    with checkout.pocket() as pocket:
        longtext.push(pocket.url)
        for width in WIDTHS:
            with page_at(pocket, width) as page:
                for view in longtext.VIEWS.values():
                    open_view(page, f"{view}{'&' if '?' in view else '?'}refresh=off")
                    page.evaluate(SEE_ALL)
                    page.wait_for_load_state("networkidle")
                    wider.append(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
    widened = sum(pixels > 0 for pixels in wider)
    return Outcome(not widened, {"pages": len(wider), "wider": widened, "most px": max(0, *wider)})


@attack("UI: a view's module does not arrive, then the connection is back")
def missing_module(checkout: Checkout) -> Outcome:
    modules = ("**/js/views/logs.js*", "**/js/parts/loglist.js*")  # the view's own, and one that it imports
    back = 0
    with checkout.pocket() as pocket, page_at(pocket) as page:
        for module in modules:
            open_view(page, "check")
            page.route(module, lambda route: route.abort())
            page.goto("/#/logs")
            page.get_by_role("alert").wait_for()
            page.unroute(module)
            come_back(page)
            back += page.get_by_label("LogQL query").count()
    return Outcome(back == len(modules), {"views that did not load": len(modules), "came back": back})


def come_back(page: Page) -> None:
    """What a reader tries who stays: to refresh, the view's tab, the button if one is offered."""
    page.get_by_role("button", name="Refresh now").click()
    page.get_by_role("link", name="Logs", exact=True).click()
    with contextlib.suppress(PlaywrightTimeout):  # it is gone when one of the two brought the view
        page.get_by_role("button", name="Try again").click(timeout=SETTLED_MS)
    with contextlib.suppress(PlaywrightTimeout):
        page.get_by_label("LogQL query").wait_for(timeout=SETTLED_MS * 5)
