"""All the questions about a stage, in the order of the table."""

from __future__ import annotations

from pathlib import Path

from workshop.check import dashboards, lessons, logs, metrics, profiles, services, traces
from workshop.check.apis import Apis
from workshop.check.manifest import Stage
from workshop.check.outcome import Check
from workshop.check.request import TracedClick, TracedRequest


def questions(stage: Stage, folder: Path, apis: Apis) -> list[Check]:
    """`folder` is the stage's: its dashboards are read from there."""
    request = TracedRequest(stage.request, apis, stage.asked)
    click = TracedClick(apis, stage.clicked)
    return [
        *services.checks(stage, apis),
        *metrics.checks(stage, apis),
        *logs.checks(stage, apis, request, click),
        *traces.checks(stage, apis, request, click),
        *profiles.checks(stage, apis),
        *lessons.checks(stage, apis, request),
        *dashboards.checks(folder / "grafana-dashboards", apis),
    ]
