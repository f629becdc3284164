"""The stages' entries. Each is the one before it plus one idea; a new stage needs an entry here, and a lesson."""

from __future__ import annotations

from dataclasses import replace

from workshop.check.manifest import Hop, ServiceSignals, Stage

HTTP_FAMILIES = ("http_requests_total", "http_request_duration_seconds")
LATENCY = "http_request_duration_seconds_bucket"
TRAFFIC = "traffic-gen"
ROLLER, FRONTEND, DIE, USAGE, POSTGRES = (
    "dice-roller",
    "streamlit-frontend",
    "die-service",
    "usage-service",
    "postgres",
)

ROLLER_1 = ServiceSignals(
    ROLLER, ROLLER, 8001, (*HTTP_FAMILIES, "dice_rolls_total", "dice_roll_value"), exemplars=LATENCY
)
ROLL, THROW = Hop(ROLLER, "GET /roll", "SERVER"), Hop(ROLLER, "roll die", "INTERNAL")

STAGE_1 = Stage(
    number=1,
    services=(ROLLER_1,),
    edges=((TRAFFIC, ROLLER),),
    request="/roll?die=fair",
    paths=((ROLL, THROW),),
    answers=(ROLLER,),
)

FRONTEND_2 = ServiceSignals(
    FRONTEND,
    "frontend",
    8501,
    ("streamlit_button_clicks_total", "streamlit_requests_total", "streamlit_request_duration_seconds"),
    exemplars="streamlit_request_duration_seconds_bucket",
)
BUTTON, ASK_ROLLER = Hop(FRONTEND, "roll button", "SERVER"), Hop(FRONTEND, "GET", "CLIENT")

STAGE_2 = replace(
    STAGE_1,
    number=2,
    services=(ROLLER_1, FRONTEND_2),
    edges=((TRAFFIC, FRONTEND), (FRONTEND, ROLLER)),
    click_paths=((BUTTON, ASK_ROLLER, ROLL, THROW),),
    click_answers=(FRONTEND, ROLLER),
)

ROLLER_3 = replace(
    ROLLER_1,
    families=(*ROLLER_1.families, "die_service_requests_total", "die_service_request_duration_seconds"),
)
DIE_3 = ServiceSignals(
    DIE,
    DIE,
    8002,
    (*HTTP_FAMILIES, "die_specifications_requested_total", "die_list_requests_total", "die_specifications_loaded"),
    exemplars=LATENCY,
)
ASK_DIE, SPECIFICATION = Hop(ROLLER, "GET.*", "CLIENT"), Hop(DIE, "GET /dice/{identifier}", "SERVER")

STAGE_3 = replace(
    STAGE_2,
    number=3,
    services=(ROLLER_3, FRONTEND_2, DIE_3),
    edges=((TRAFFIC, FRONTEND), (FRONTEND, ROLLER), (FRONTEND, DIE), (ROLLER, DIE)),
    paths=((ROLL, THROW), (ROLL, ASK_DIE, SPECIFICATION)),
    answers=(ROLLER, DIE),
    click_paths=((BUTTON, ASK_ROLLER, ROLL, THROW), (BUTTON, ASK_ROLLER, ROLL, ASK_DIE, SPECIFICATION)),
    click_answers=(FRONTEND, ROLLER, DIE),
    lessons=("shaking profile",),
)

ASYNC_FAMILIES = (
    "async_rolls_total",
    "async_roll_batch_size",
    "async_roll_duration_seconds",
    "async_rolls_in_progress",
)
ROLL_ASYNC = Hop(ROLLER, "GET /roll-async", "SERVER")

STAGE_4 = replace(
    STAGE_3,
    number=4,
    services=(replace(ROLLER_3, families=(*ROLLER_3.families, *ASYNC_FAMILIES)), FRONTEND_2, DIE_3),
    request="/roll-async?die=fair&times=5",
    paths=((ROLL_ASYNC, THROW), (ROLL_ASYNC, ASK_DIE, SPECIFICATION)),
    lessons=(*STAGE_3.lessons, "overlapping rolls"),
)

DATABASE_FAMILIES = (
    "database_queries_total",
    "database_query_duration_seconds",
    "database_connection_pool_size",
    "database_connection_pool_available",
)
DIE_5 = replace(
    DIE_3,
    families=(*DIE_3.families, *DATABASE_FAMILIES),
)
QUERY = Hop(DIE, "SELECT.*", "CLIENT")
EXPORTER_METRICS = ("pg_up", "pg_stat_database_numbackends", "pg_stat_activity_count", "pg_database_size_bytes")

STAGE_5 = replace(
    STAGE_4,
    number=5,
    services=(*STAGE_4.services[:2], DIE_5),
    paths=((ROLL_ASYNC, THROW), (ROLL_ASYNC, ASK_DIE, SPECIFICATION, QUERY)),
    targets=(ROLLER, FRONTEND, DIE, POSTGRES),
    exporter_metrics=dict.fromkeys(EXPORTER_METRICS, POSTGRES),
    edges=(*STAGE_4.edges, (DIE, POSTGRES)),
    click_paths=((BUTTON, ASK_ROLLER, ROLL, THROW), (BUTTON, ASK_ROLLER, ROLL, ASK_DIE, SPECIFICATION, QUERY)),
    lessons=(*STAGE_4.lessons, "database span"),
)

FRONTEND_6 = replace(FRONTEND_2, families=(*FRONTEND_2.families, "usage_events_total"))
USAGE_6 = ServiceSignals(
    USAGE,
    USAGE,
    8003,
    (*HTTP_FAMILIES, "usage_events_stored_total", "usage_events_duplicate_total", *DATABASE_FAMILIES),
    exemplars=LATENCY,
)

STAGE_6 = replace(
    STAGE_5,
    number=6,
    services=(STAGE_5.services[0], FRONTEND_6, DIE_5, USAGE_6),
    targets=(*STAGE_5.targets, USAGE),
    edges=(*STAGE_5.edges, (USAGE, POSTGRES)),
    lessons=(*STAGE_5.lessons, "usage stored once"),
)

STAGES = {stage.number: stage for stage in (STAGE_1, STAGE_2, STAGE_3, STAGE_4, STAGE_5, STAGE_6)}
