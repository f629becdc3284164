"""Which rows each stage's dashboard has, top to bottom."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import Dashboard, DashboardCursorSync

from dashboards import rows
from dashboards.rows import Row

ROLLS = '{resource.service.name="dice-roller" && name="roll die"}'
FAILED_ROLLS = '{resource.service.name="dice-roller" && name="roll die" && status=error}'


def stage1() -> list[Row]:
    return [
        rows.red("dice-roller", "/roll"),
        rows.rolls(["fair", "risky"]),
        rows.traces(ROLLS, FAILED_ROLLS),
        rows.service_graph(),
        rows.logs(["dice-roller"]),
        rows.profile("dice-roller"),
        rows.runtime(["dice-roller"]),
    ]


STAGES = {1: stage1}


def build(stage: int) -> Dashboard:
    """The dashboard of a stage, panels numbered from 1 in reading order."""
    builder = dashboard.Dashboard(f"Dice Roller – Stage {stage}").uid(f"dice-roller-stage{stage}")
    builder = builder.tags(["dice-workshop", f"stage{stage}"]).refresh("5s").time("now-15m", "now")
    builder = builder.timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR).editable()
    for row in STAGES[stage]():
        builder = builder.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            builder = builder.with_panel(panel)
    model = builder.build()
    for number, panel in enumerate(model.panels or [], start=1):
        panel.id_val = number
    return model
