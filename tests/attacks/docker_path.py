"""The Docker path, as far as it can be attacked without an engine: its files, and Alloy where there is one."""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import yaml

from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout
from tests.pocket.route.alloy import running

LINES, LAST = 12, "the last line"


@attack("Alloy reads a container's last lines again")
def read_again(checkout: Checkout) -> Outcome:
    """Loki drops an entry that it has: the same stream, time and text."""
    at = "2026-01-01T00:00:00.000001+00:00"
    lines = [json.dumps({"timestamp": at, "service": "dice-roller", "n": n}) for n in range(LINES)]
    now = time.time_ns()
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        try:
            with running(checkout.root / "stack/alloy/config.alloy", "service_logs", Path(folder)) as alloy:
                for _ in range(2):
                    alloy.push(*((now + n, line) for n, line in enumerate(lines)), container_name="dice-roller-1")
                alloy.push((now, LAST), container_name="dice-roller-1")
                entries = alloy.until(LAST)
        except FileNotFoundError as error:
            return Outcome(True, {"skipped": str(error)})
    kept = {(entry.t_ns, entry.line, *sorted(entry.labels.items())) for entry in entries if entry.line != LAST}
    return Outcome(len(kept) == LINES, {"lines written": LINES, "lines in Loki": len(kept)})


@attack("docker compose up without --build after another stage")
def another_stages_image(checkout: Checkout) -> Outcome:
    """Compose starts an image that is there by its name; by default the name is the project and the service."""
    folders = defaultdict(set)
    for file in checkout.root.glob("stage[0-9]/docker-compose.yml"):
        compose = yaml.safe_load(file.read_text())
        for name, service in compose["services"].items():
            if "build" in service:
                image = service.get("image", f"{compose['name']}-{name}")
                folders[image].add((file.parent / service["build"]).resolve())
    mixed = sum(len(each) for each in folders.values() if len(each) > 1)
    return Outcome(mixed == 0, {"images": len(folders), "services that share one with another stage": mixed})


@attack("the pointer over a heat map in Grafana")
def hover(checkout: Checkout) -> Outcome:
    """`tooltip.show: false` is migrated to the mode "none": no values, no way from an exemplar to its trace."""
    files = checkout.root.glob("stage[0-9]/grafana-dashboards/*.json")
    panels = [panel for file in files for panel in json.loads(file.read_text())["panels"]]
    maps = [panel["options"] for panel in panels if panel["type"] == "heatmap"]
    mute = sum(options["tooltip"].get("mode", "none") == "none" for options in maps)
    return Outcome(mute == 0, {"heat maps": len(maps), "without a tooltip": mute})
