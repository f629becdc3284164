"""`make screenshot`: writes README's picture, one trace through the services of the last stage in the UI."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import ViewportSize, sync_playwright

from tests.browser.conftest import FLAGS, chromium_path
from tests.conftest import free_offsets

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / ".github" / "screenshot.png"
STAGE = len(list(ROOT.glob("stage[0-9]")))
SEARCH = '{name = "roll die"} && {name =~ "SELECT.*"}'  # a die that the database knows
SIZE = ViewportSize(width=1200, height=720)
PATIENCE_SECONDS = 60.0


def main() -> None:
    offset = next(free_offsets())
    with tempfile.TemporaryDirectory() as folder:
        where = ("--port-offset", str(offset), "--data-dir", folder)
        workshop("up", str(STAGE), "--detach", "--traffic", *where)
        try:
            shoot(f"http://localhost:{3000 + offset}/#/trace/{a_trace(3200 + offset)}")
        finally:
            workshop("down", "--volumes", *where)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} KiB")


def workshop(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "workshop", *arguments], cwd=ROOT, check=True)


def a_trace(port: int) -> str:
    """The id of the trace with the most spans."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = httpx.get(f"http://127.0.0.1:{port}/api/search", params={"q": SEARCH, "limit": 200})
        found = answer.raise_for_status().json()["traces"]
        if found:
            return str(max(found, key=lambda trace: trace["spanSet"]["matched"])["traceID"])
        time.sleep(1)
    raise SystemExit(f"no trace answers {SEARCH}")


def shoot(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(url)
        page.locator(".span-row").nth(2).wait_for()
        page.wait_for_load_state("networkidle")
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
