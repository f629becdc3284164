"""Prometheus' HTTP API (web/api/v1/api.go, 3.14) over the PromQL engine."""

from pocket.api.prometheus.routes import app

__all__ = ["app"]
