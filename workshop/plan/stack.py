"""What stands for the full stack without Docker: the pocket stack, under the names that compose files use."""

from __future__ import annotations

from pocket.addresses import PORTS

POCKET = "pocket"
DATABASE = "postgres"
GRAFANA_PASSWORD = "GRAFANA_DATABASE_PASSWORD"  # noqa: S105 - a variable's name
USAGE = "usage-service"  # gets the usage events of a stage that brings an Alloy configuration of its own
STACK_HOSTS = ("alloy", "prometheus", "loki", "tempo", "pyroscope", "grafana")
READY_PATHS = {
    "grafana": "/api/health",
    "loki": "/ready",
    "tempo": "/ready",
    "pyroscope": "/ready",
    "prometheus": "/-/ready",
    "alloy": "/-/ready",
}
# What a compose file leaves open, with the pocket UI's answer in place of Grafana's.
POCKET_VARIABLES = {"TRACE_URL_TEMPLATE": f"http://localhost:{PORTS['grafana']}/trace/TRACE_ID"}
