"""The frontend as a person sees it: a roll on the page, and the link from it to the trace."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import chromium_path

ROOT = Path(__file__).resolve().parents[2]
STAGE = 4  # it has all the page has to offer up to then
CHROMIUM = chromium_path()
MILLISECONDS = 60_000
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


def workshop(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workshop", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def offset(next_offset: Callable[[], int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    offset, data = next_offset(), tmp_path_factory.mktemp("page")
    where = ("--port-offset", str(offset), "--data-dir", str(data))
    up = workshop("up", str(STAGE), "--detach", *where)
    assert up.returncode == 0, up.stdout + up.stderr
    yield offset
    workshop("down", "--volumes", *where)


@pytest.fixture
def page(offset: int) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        expect.set_options(timeout=MILLISECONDS)
        page.goto(f"http://localhost:{8501 + offset}")
        yield page
        browser.close()


def shown_status(page: Page) -> str:
    alert = page.get_by_test_id("stAlert").filter(has_text=re.compile(r"^\d{3}: "))
    expect(alert).to_be_visible()
    return alert.inner_text()[:3]


def test_a_roll_and_its_trace(page: Page) -> None:
    page.get_by_role("button", name="Roll", exact=True).click()
    assert shown_status(page) == "200"
    link = page.locator("a", has=page.locator("code"))
    trace_id = link.inner_text()
    assert re.fullmatch("[0-9a-f]{32}", trace_id)
    page.goto(str(link.get_attribute("href")))
    for name in ("roll button", "GET /roll", "roll die", "GET /dice/{identifier}"):
        expect(page.get_by_text(name, exact=False).first).to_be_visible()
    assert page.url.endswith(f"#/trace/{trace_id}")


def test_the_selector_has_what_die_service_lists(page: Page) -> None:
    page.get_by_role("combobox").click()
    for die in json.loads((ROOT / f"stage{STAGE}/die-service/dice.json").read_text()):
        expect(page.get_by_role("option", name=die["identifier"], exact=True)).to_be_visible()


def test_many_at_once_are_shown_together(page: Page) -> None:
    page.get_by_role("button", name="Roll all at once").click()
    assert shown_status(page) == "200"
    expect(page.get_by_test_id("stAlert")).to_contain_text("5 fair dice show")
