"""A stage's traffic for a long time, with retention at work: does memory end?

SOAK_SECONDS sets how long (default 120; half an hour tells more); the curve goes to SOAK_CURVE, if given.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import httpx

from tests.attacks import traffic
from tests.attacks.attack import Figure, Outcome, attack
from tests.attacks.checkout import Checkout, Pocket

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
SAMPLE_SECONDS = 30.0
ROLLS, SERIES = 20, 300  # a second, each with four spans and eight lines; scraped every 5 s
BOUND = 24 << 20
GROWTH = 1.15  # the last third's mean over the middle third's
ENOUGH = 600  # seconds: before that caches still fill, and nothing can be said


@attack("a soak: a stage's traffic with retention at work (SOAK_SECONDS)")
def soak(checkout: Checkout) -> Outcome:
    flags = ("--retention-bytes", str(BOUND))
    with tempfile.TemporaryDirectory() as folder, traffic.target(SERIES) as port:
        config = traffic.scrape_config(Path(folder), port)
        with checkout.pocket("--prometheus-config", str(config), *flags) as pocket:
            curve = _curve(pocket)
    told = " ".join(f"{minute:g}:{mb}" for minute, mb, _ in curve)
    memory, disk = [mb for _, mb, _ in curve], [mb for _, _, mb in curve]
    third = max(1, len(memory) // 3)
    growth = sum(memory[-third:]) / max(1, sum(memory[-2 * third : -third]))
    figures: dict[str, Figure] = {"minute:MB": told, "growth": round(growth, 2), "peak disk MB": max(disk)}
    return Outcome(growth <= GROWTH or SECONDS < ENOUGH, figures)


def _curve(pocket: Pocket) -> list[tuple[float, int, int]]:
    """Minute, resident MB, MB on disk; every SAMPLE_SECONDS."""
    began, samples = time.monotonic(), list[tuple[float, int, int]]()
    # A connection each time: uvicorn closes an idle one after 5 s, which a look every 10 s would run into.
    with httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for second in range(int(SECONDS)):
            time.sleep(max(0.0, began + second - time.monotonic()))
            traffic.send(client, pocket, ROLLS)
            if second % 10 == 0:
                traffic.look(client, pocket)
            if second % SAMPLE_SECONDS == 0:
                samples.append((second / 60, pocket.memory.now_mb(), pocket.disk_mb()))
                _keep(samples)
    return samples


def _keep(samples: list[tuple[float, int, int]]) -> None:
    if where := os.environ.get("SOAK_CURVE"):
        rows = (f"{minute:5.1f} min {mb:5d} MB memory {disk:5d} MB disk" for minute, mb, disk in samples)
        Path(where).write_text("\n".join(rows) + "\n", encoding="utf-8")
