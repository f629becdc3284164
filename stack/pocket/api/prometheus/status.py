"""The endpoints that tell of the server itself: health, build, configuration, and rules, of which it has none."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import yaml
from starlette.routing import Route

from pocket.api.endpoint import build, fixed, text
from pocket.api.prometheus.dialect import success
from pocket.api.prometheus.targets import rfc3339
from pocket.config import Settings
from pocket.query.durations import prometheus_duration_ns
from pocket.query.promql.context import DEFAULT_SUBQUERY_STEP_MS, LOOKBACK_MS, MAX_CELLS

VERSION = "3.14.0"  # whose answers these are; Grafana chooses its features by it


def evaluation_interval_ms(settings: Settings) -> int:
    """`global.evaluation_interval`, the step of subqueries that name none."""
    interval = (yaml.safe_load(_config_text(settings)) or {}).get("global", {}).get("evaluation_interval")
    if interval is None:
        return DEFAULT_SUBQUERY_STEP_MS
    return prometheus_duration_ns(str(interval)) // 10**6


def _config_text(settings: Settings) -> str:
    path = settings.prometheus_config
    return path.read_text(encoding="utf-8") if path is not None and path.exists() else ""


def status_routes(settings: Settings) -> list[Route]:
    """Routes whose answers do not come from the store."""
    started = time.time()
    flags = {
        "query.lookback-delta": f"{LOOKBACK_MS // 60_000}m",
        "query.timeout": f"{settings.query_seconds:g}s",
        "query.max-concurrency": str(settings.query_workers),
        "query.max-samples": str(MAX_CELLS),
        "storage.tsdb.retention.time": f"{settings.retention_seconds}s",
        "storage.tsdb.retention.size": f"{settings.retention_bytes}B",
    }
    never_changing: dict[str, Any] = {
        "status/buildinfo": build(VERSION, "pocket"),
        "status/flags": flags,
        "rules": {"groups": []},
        "alerts": {"alerts": []},
        "alertmanagers": {"activeAlertmanagers": [], "droppedAlertmanagers": []},
    }
    return [
        *(_route(path, partial(never_changing.__getitem__, path)) for path in never_changing),
        _route("status/config", lambda: {"yaml": _config_text(settings)}),
        _route("status/runtimeinfo", lambda: _runtime(settings, started)),
        text("/-/ready", "Prometheus Server is Ready.\n"),
        text("/-/healthy", "Prometheus Server is Healthy.\n"),
    ]


def _route(path: str, data: Callable[[], Any]) -> Route:
    return Route(f"/api/v1/{path}", fixed(lambda: success(data())))


def _runtime(settings: Settings, started: float) -> dict[str, Any]:
    return {
        "startTime": rfc3339(started),
        "serverTime": rfc3339(time.time()),
        "hostname": platform.node(),
        "reloadConfigSuccess": True,
        "lastConfigTime": rfc3339(started),
        "corruptionCount": 0,
        "storageRetention": f"{settings.retention_seconds}s or {settings.retention_bytes}B",
    }
