"""Which rows each stage's dashboard has, top to bottom."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import Dashboard, DashboardCursorSync, Panel

from dashboards import database, red, rolling, signals, usage
from dashboards.rows import Row

ROLLS = '{resource.service.name="dice-roller" && name="roll die"}'
FAILED_ROLLS = '{resource.service.name="dice-roller" && name="roll die" && status=error}'


def stage1() -> list[Row]:
    return [
        red.row(red.ROLLER),
        rolling.rolls(["fair", "risky"]),
        signals.traces(ROLLS, FAILED_ROLLS),
        signals.service_graph(),
        signals.logs(["dice-roller"]),
        signals.profile("dice-roller"),
        signals.runtime(["dice-roller"]),
    ]


CLICKS = '{resource.service.name="streamlit-frontend" && name="roll button"}'


def stage2() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller"]
    return [
        red.row(red.FRONTEND),
        red.row(red.ROLLER),
        rolling.clicks(),
        rolling.rolls(["fair", "risky"]),
        signals.traces(CLICKS, FAILED_ROLLS),
        signals.service_graph(),
        signals.logs(services),
        *(signals.profile(service) for service in services),
        signals.runtime(services),
    ]


def stage3() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service"]
    return [
        red.row(red.FRONTEND),
        red.row(red.ROLLER),
        red.row(red.DIE_SERVICE),
        rolling.specifications(),
        rolling.clicks(),
        rolling.rolls(["fair", "risky", "heavy"]),
        signals.traces(CLICKS, FAILED_ROLLS),
        signals.service_graph(),
        signals.logs(services),
        *(signals.profile(service) for service in services),
        signals.runtime(services),
    ]


def stage4() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service"]
    return [
        red.row(red.FRONTEND),
        red.row(red.ROLLER_WITH_BATCHES),
        red.row(red.DIE_SERVICE),
        rolling.batches(),
        rolling.specifications(),
        rolling.clicks(),
        rolling.rolls(["fair", "risky", "heavy"]),
        signals.traces(CLICKS, FAILED_ROLLS),
        signals.service_graph(),
        signals.logs(services),
        *(signals.profile(service) for service in services),
        signals.runtime(services),
    ]


def stage5() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service"]
    return [
        red.row(red.FRONTEND),
        red.row(red.ROLLER_WITH_BATCHES),
        red.row(red.DIE_SERVICE),
        database.queries("die-service"),
        database.server(),
        rolling.batches(),
        rolling.specifications(),
        rolling.clicks(),
        rolling.rolls(["fair", "risky", "heavy"]),
        signals.traces(CLICKS, FAILED_ROLLS),
        signals.service_graph(),
        signals.logs(services),
        *(signals.profile(service) for service in services),
        signals.runtime(services),
    ]


def stage6() -> list[Row]:
    services = ["streamlit-frontend", "dice-roller", "die-service", "usage-service"]
    return [
        usage.usage(),
        red.row(usage.SERVICE),
        red.row(red.FRONTEND),
        red.row(red.ROLLER_WITH_BATCHES),
        red.row(red.DIE_SERVICE),
        database.queries("die-service"),
        database.queries("usage-service"),
        database.server(),
        rolling.batches(),
        rolling.specifications(),
        rolling.clicks(),
        rolling.rolls(["fair", "risky", "heavy"]),
        signals.traces(CLICKS, FAILED_ROLLS),
        signals.service_graph(),
        signals.logs(services),
        *(signals.profile(service) for service in services),
        signals.runtime(services),
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
