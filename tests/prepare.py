"""What `make test` does before the tests: gets the tools that some tests need and this machine lacks.

As root on Debian: headless Chromium from its package; Prometheus' package unpacked into .tools/, not installed:
its service would take port 9090. Elsewhere, and when anything fails, it says what is missing: those tests skip.
Always exits 0.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PROMETHEUS = ("prometheus", "promtool")
SECONDS = 300


def main() -> None:
    for what, missing, get in (
        ("Chromium (browser tests)", not any(map(shutil.which, BROWSERS)), install_chromium),
        (
            "Prometheus (its promtool judges our configuration)",
            not all(map(find_tool, PROMETHEUS)),
            unpack_prometheus,
        ),
    ):
        if missing:
            reason = try_to(get)
            print(
                f"prepare: {what}: {'got it' if not reason else f'missing, its tests skip: {reason}'}", flush=True
            )


def find_tool(name: str) -> str | None:
    found: str | None = shutil.which(name) or shutil.which(name, path=str(TOOLS / "bin"))
    return found


def try_to(get: Callable[[], None]) -> str:
    """Empty when it worked, else why not."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "not root on Debian"
    try:
        apt("update", "-qq")
        get()
    except subprocess.CalledProcessError as error:
        return str((error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1])
    except (subprocess.TimeoutExpired, OSError) as error:
        return str(error)
    return ""


def apt(*arguments: str, cwd: Path | None = None) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS, env=environment, cwd=cwd)


def install_chromium() -> None:
    apt("install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core")


def unpack_prometheus() -> None:
    """Programs at .tools/bin, which tests/conftest.py puts on the path."""
    with tempfile.TemporaryDirectory() as folder:
        # apt's own sandbox user cannot write to our folder: fetch as root
        apt("download", "-qq", "-o", "APT::Sandbox::User=root", "prometheus", cwd=Path(folder))
        package = next(Path(folder).glob("prometheus_*.deb"))
        (TOOLS / "bin").mkdir(parents=True, exist_ok=True)  # dpkg makes one folder, not its parents
        subprocess.run(["dpkg", "-x", package, TOOLS / "prometheus"], check=True, capture_output=True, text=True)
    for name in PROMETHEUS:
        link = TOOLS / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(TOOLS / "prometheus" / "usr" / "bin" / name)


if __name__ == "__main__":
    main()
