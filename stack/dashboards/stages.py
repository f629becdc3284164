"""Which rows each stage's dashboard has, top to bottom."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import Dashboard, DashboardCursorSync, Panel

from dashboards import database, rows, usage
from dashboards.rows import Row

ROLLS = '{resource.service.name="dice-roller" && name="roll die"}'
FAILED_ROLLS = '{resource.service.name="dice-roller" && name="roll die" && status=error}'


def stage1() -> list[Row]:
    return [
        rows.red(rows.ROLLER),
        rows.rolls(["fair", "risky"]),
        rows.traces(ROLLS, FAILED_ROLLS),
        rows.service_graph(),
        rows.logs(["dice-roller"]),
        rows.profile("dice-roller"),
        rows.runtime(["dice-roller"]),
    ]


CLICKS = '{resource.service.name="streamlit-frontend" && name="roll button"}'
FAILED_CLICKS = '{resource.service.name="streamlit-frontend" && name="roll button" && status=error}'


def stage2() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller"]
    return [
        rows.red(rows.FRONTEND),
        rows.red(rows.ROLLER),
        rows.clicks(),
        rows.rolls(["fair", "risky"]),
        rows.traces(CLICKS, FAILED_CLICKS),
        rows.service_graph(),
        rows.logs(services),
        *(rows.profile(service) for service in services),
        rows.runtime(services),
    ]


def stage3() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service"]
    return [
        rows.red(rows.FRONTEND),
        rows.red(rows.ROLLER),
        rows.red(rows.DIE_SERVICE),
        rows.specifications(),
        rows.clicks(),
        rows.rolls(["fair", "risky", "heavy"]),
        rows.traces(CLICKS, FAILED_CLICKS),
        rows.service_graph(),
        rows.logs(services),
        *(rows.profile(service) for service in services),
        rows.runtime(services),
    ]


def stage4() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service"]
    return [
        rows.red(rows.FRONTEND),
        rows.red(rows.ROLLER_WITH_BATCHES),
        rows.red(rows.DIE_SERVICE),
        rows.batches(),
        rows.specifications(),
        rows.clicks(),
        rows.rolls(["fair", "risky", "heavy"]),
        rows.traces(CLICKS, FAILED_CLICKS),
        rows.service_graph(),
        rows.logs(services),
        *(rows.profile(service) for service in services),
        rows.runtime(services),
    ]


def stage5() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service"]
    return [
        rows.red(rows.FRONTEND),
        rows.red(rows.ROLLER_WITH_BATCHES),
        rows.red(rows.DIE_SERVICE),
        database.queries("die-service"),
        database.server(),
        rows.batches(),
        rows.specifications(),
        rows.clicks(),
        rows.rolls(["fair", "risky", "heavy"]),
        rows.traces(CLICKS, FAILED_CLICKS),
        rows.service_graph(),
        rows.logs(services),
        *(rows.profile(service) for service in services),
        rows.runtime(services),
    ]


def stage6() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service", "usage-service"]
    return [
        usage.usage(),
        rows.red(usage.SERVICE),
        rows.red(rows.FRONTEND),
        rows.red(rows.ROLLER_WITH_BATCHES),
        rows.red(rows.DIE_SERVICE),
        database.queries("die-service"),
        database.queries("usage-service"),
        database.server(),
        rows.batches(),
        rows.specifications(),
        rows.clicks(),
        rows.rolls(["fair", "risky", "heavy"]),
        rows.traces(CLICKS, FAILED_CLICKS),
        rows.service_graph(),
        rows.logs(services),
        *(rows.profile(service) for service in services),
        rows.runtime(services),
    ]


STAGES = {1: stage1, 2: stage2, 3: stage3, 4: stage4, 5: stage5, 6: stage6}


def build(stage: int) -> Dashboard:
    """The dashboard of a stage, panels numbered from 1 in reading order."""
    builder = dashboard.Dashboard(f"Dice Roller – Stage {stage}").uid(f"dice-roller-stage{stage}")
    builder = builder.tags(["dice-workshop", f"stage{stage}"]).refresh("5s").time("now-5m", "now")
    builder = builder.timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR).editable()
    for row in STAGES[stage]():
        builder = builder.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            builder = builder.with_panel(panel)
    model = builder.build()
    for number, panel in enumerate(model.panels or [], start=1):
        panel.id_val = number
        if isinstance(panel, Panel) and panel.options is None:
            panel.options = {}  # the model writes null, which no panel's schema allows
    return model
