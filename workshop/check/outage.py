"""Which of a run's services are stopped, and which others cannot work without them.

Nothing is judged by this: every question is still asked of the public APIs. It only saves waiting for an answer
that cannot come, and gives the hint that helps.
"""

from __future__ import annotations

from collections.abc import Mapping

from workshop.run.state import RunState

STOPPED = {"stopped", "exited"}
DEADLINE_SECONDS = 10.0  # of a check that cannot be all ✓ anyway; the pipeline's slowest link takes 5


def explained(run: RunState | None) -> dict[str, str]:
    """Service → the stopped one it lacks: itself, or one it depends on by however many steps."""
    services = {service["name"]: service for service in run["services"]} if run else {}
    found = {name: name for name, service in services.items() if service["state"] in STOPPED}
    while more := {
        name: found[other]
        for name, service in services.items()
        for other in service.get("depends_on", ())  # absent in what an earlier version wrote
        if name not in found and other in found
    }:
        found |= more
    return found


def culprit(needs: tuple[str, ...], stopped: Mapping[str, str]) -> str:
    """The stopped service for which a question that `needs` these cannot be answered; empty when there is none."""
    return next((stopped[name] for name in needs if name in stopped), "")
